// See faults.hpp. The same file gives the same faults in the same order.
#include "faults.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace nasm_build::fuzz {

namespace {

std::uint64_t ordered(std::uint64_t value, const Fault& fault) {
    if (!fault.big_endian) {
        return value;
    }
    std::uint64_t swapped = 0;
    for (unsigned i = 0; i < fault.width; ++i) {
        swapped = swapped << 8U | (value >> (8 * i) & 0xFFU);
    }
    return swapped;
}

std::uint64_t value_at(std::span<const std::byte> file, const Fault& fault) {
    std::uint64_t value = 0;
    std::memcpy(&value, file.data() + fault.at, fault.width);  // little-endian hosts only
    return ordered(value, fault);
}

std::uint64_t highest(std::uint8_t width) {
    return width == 8 ? UINT64_MAX : (std::uint64_t{1} << (8U * width)) - 1;
}

/// Entries that stand for all: their neighbours are made alike.
std::vector<std::size_t> chosen_entries(const Table& table) {
    constexpr std::size_t small = 48;
    constexpr std::size_t first = 12;
    std::vector<std::size_t> entries;
    for (std::size_t i = 0; i < table.count; ++i) {
        if (table.count <= small || i < first || i + 2 >= table.count) {
            entries.push_back(i);
        }
    }
    return entries;
}

}  // namespace

Fault fault_in(const Table& table, std::size_t entry, const FieldShape& field, std::uint64_t value) {
    return {table.offset + entry * table.entry_size + field.offset, field.width, table.big_endian,
            value & highest(field.width)};
}

std::vector<std::uint64_t> faulty_values(std::span<const std::byte> file, const Layout& layout, const Table& table,
                                         std::size_t entry, const FieldShape& field) {
    const std::uint64_t old = value_at(file, fault_in(table, entry, field, 0));
    const std::uint64_t most = highest(field.width);
    const std::uint64_t sign = most / 2 + 1;
    const std::uint64_t size = file.size();
    std::vector<std::uint64_t> values = {0,    1,        2,       3,       most,       most - 1, most - 7,
                                         sign, sign - 1, old + 1, old - 1, old ^ sign, old ^ 1U};
    if (field.width > 1) {
        const std::uint64_t own_place = table.offset + entry * table.entry_size;
        const std::uint64_t far[] = {0xFF,
                                     0x100,
                                     old + 8,
                                     old - 8,
                                     old * 2,
                                     old / 2,
                                     size,
                                     size - 1,
                                     size + 1,
                                     size - old,
                                     0x1000,
                                     own_place,
                                     own_place + field.offset,
                                     table.count,
                                     table.size()};
        values.insert(values.end(), std::begin(far), std::end(far));
    }
    if (field.width > 2) {
        const std::uint64_t far[] = {0x7FFF,     0x8000,     0xFFFF,     0x10000,  0x1000000,
                                     0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, size * 16};
        values.insert(values.end(), std::begin(far), std::end(far));
        for (std::size_t i = 0; i < std::min<std::size_t>(layout.size(), 6); ++i) {
            values.push_back(layout[i].offset);
        }
    }
    for (const FieldShape& other : table.fields) {
        if (other.offset != field.offset) {
            values.push_back(value_at(file, fault_in(table, entry, other, 0)));
        }
    }
    for (std::uint64_t& value : values) {
        value &= most;
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    values.erase(std::remove(values.begin(), values.end(), old), values.end());
    return values;
}

std::vector<Fault> faults_of(std::span<const std::byte> file, const Layout& layout) {
    std::vector<Fault> faults;
    for (const Table& table : layout) {
        for (const std::size_t entry : chosen_entries(table)) {
            for (const FieldShape& field : table.fields) {
                for (const std::uint64_t value : faulty_values(file, layout, table, entry, field)) {
                    faults.push_back(fault_in(table, entry, field, value));
                }
            }
        }
    }
    return faults;
}

void apply(const Fault& fault, std::span<std::byte> file) {
    if (fault.at <= file.size() && fault.width <= file.size() - fault.at) {
        const std::uint64_t value = ordered(fault.value, fault);
        std::memcpy(file.data() + fault.at, &value, fault.width);
    }
}

}  // namespace nasm_build::fuzz
