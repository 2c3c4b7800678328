// Half of the damage is in single fields of headers and tables, with the values that range checks get wrong.
#include "damage.hpp"

#include <algorithm>
#include <cstring>

#include "faults.hpp"

namespace nasm_build::fuzz {

namespace {

using Bytes = std::vector<std::byte>;

/// An offset that is not in the file any more after a cut.
bool holds(const Bytes& bytes, const Table& table) {
    return table.offset + table.size() <= bytes.size();
}

void lie_in_a_field(Bytes& bytes, const Layout& layout, Random& random) {
    const Table& table = layout[random.below(layout.size())];
    if (!holds(bytes, table)) {
        return;
    }
    const std::size_t entry = random.below(table.count);
    const FieldShape& field = table.fields[random.below(table.fields.size())];
    std::uint64_t value = random.next();
    if (random.below(8) != 0) {
        const std::vector<std::uint64_t> values = faulty_values(bytes, layout, table, entry, field);
        value = values[random.below(values.size())];
    }
    fuzz::apply(fault_in(table, entry, field, value), bytes);
}

/// One number in two places: ranges that overlap, chains that close.
void share_a_value(Bytes& bytes, const Layout& layout, Random& random) {
    const Table& table = layout[random.below(layout.size())];
    if (!holds(bytes, table)) {
        return;
    }
    const FieldShape& field = table.fields[random.below(table.fields.size())];
    const std::size_t from = table.offset + random.below(table.count) * table.entry_size + field.offset;
    const std::size_t to = table.offset + random.below(table.count) * table.entry_size + field.offset;
    std::memmove(bytes.data() + to, bytes.data() + from, field.width);
}

void flip_bits(Bytes& bytes, const Layout& layout, Random& random) {
    const std::uint64_t count = 1 + random.below(16);
    for (std::uint64_t i = 0; i < count && !bytes.empty(); ++i) {
        std::size_t at = random.below(bytes.size());
        if (random.below(2) == 0) {
            const Table& table = layout[random.below(layout.size())];
            at = std::min(table.offset + random.below(table.size()), bytes.size() - 1);
        }
        bytes[at] ^= static_cast<std::byte>(1U << random.below(8));
    }
}

void copy_a_block(Bytes& bytes, const Layout& layout, Random& random) {
    const Table& from = layout[random.below(layout.size())];
    const Table& to = layout[random.below(layout.size())];
    const std::size_t size = std::min({from.size(), to.size(), std::size_t{1} + random.below(256)});
    if (from.offset + size <= bytes.size() && to.offset + size <= bytes.size()) {
        std::memmove(bytes.data() + to.offset, bytes.data() + from.offset, size);
    }
}

void fill_a_block(Bytes& bytes, const Layout& layout, Random& random) {
    const Table& table = layout[random.below(layout.size())];
    if (table.offset >= bytes.size()) {
        return;
    }
    const std::size_t at = table.offset + random.below(table.size());
    const std::size_t size = std::min(bytes.size() - std::min(at, bytes.size()), std::size_t{1} + random.below(64));
    const auto value = static_cast<std::byte>(random.below(3) == 0 ? random.below(256) : random.below(2) * 0xFF);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at, bytes.size())), size, value);
}

void cut(Bytes& bytes, const Layout& layout, Random& random) {
    std::size_t size = random.below(bytes.size() + 1);
    if (random.below(2) == 0) {  // at or beside the edge of a table
        const Table& table = layout[random.below(layout.size())];
        size = table.offset + (random.below(2) == 0 ? table.size() : 0) + random.below(3);
        size = size == 0 ? 0 : size - 1;
    }
    bytes.resize(std::min(size, bytes.size()));
}

}  // namespace

std::vector<std::byte> damage(std::span<const std::byte> good, const Layout& layout, Random& random, bool may_cut) {
    Bytes bytes(good.begin(), good.end());
    // One fault alone goes the deepest: of several, the first check meets one.
    const std::uint64_t rounds = random.below(2) == 0 ? 1 : 1 + random.below(4);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        switch (random.below(12)) {
            case 0:
                if (may_cut) {
                    cut(bytes, layout, random);
                } else {
                    flip_bits(bytes, layout, random);
                }
                break;
            case 1:
            case 2:
                flip_bits(bytes, layout, random);
                break;
            case 3:
                copy_a_block(bytes, layout, random);
                break;
            case 4:
                fill_a_block(bytes, layout, random);
                break;
            case 5:
                share_a_value(bytes, layout, random);
                break;
            default:
                lie_in_a_field(bytes, layout, random);
                break;
        }
    }
    return bytes;
}

}  // namespace nasm_build::fuzz
