#include "toolchain/coff_layout.hpp"

#include <charconv>
#include <optional>
#include <system_error>

namespace nasm_build::toolchain {

namespace {

constexpr std::uint16_t machine_amd64 = 0x8664;
constexpr std::uint64_t header_size = 20;
constexpr std::uint64_t short_name_size = 8;
constexpr std::uint64_t section_header_size = 40;
constexpr std::uint64_t relocation_size = 10;

// A text of the string table, which begins with its own size in four bytes and ends each text with a zero byte.
std::string_view long_name(ByteView object, const CoffSymbols& table, std::uint64_t offset) {
    const std::optional<std::string_view> name = object.text(table.strings() + offset);
    if (offset < 4 || !name) {
        throw not_a_coff_object();
    }
    return *name;
}

}  // namespace

Error not_a_coff_object() {
    return Error("is no whole COFF object for x86-64", "assemble it with nasm -f win64, or compile it for x86-64");
}

CoffSymbols coff_symbols(ByteView object) {
    if (object.load<std::uint16_t>(0) != machine_amd64) {
        throw not_a_coff_object();
    }
    const CoffSymbols table{.start = object.load<std::uint32_t>(8), .count = object.load<std::uint32_t>(12)};
    if (table.start < header_size || !object.holds(table.start, table.strings() - table.start)) {
        throw not_a_coff_object();
    }
    return table;
}

std::string_view coff_symbol_name(ByteView object, const CoffSymbols& table, std::uint64_t index) {
    const std::uint64_t symbol = table.place(index);
    const bool is_long = object.load<std::uint32_t>(symbol) == 0;
    return is_long ? long_name(object, table, object.load<std::uint32_t>(symbol + 4))
                   : object.fixed_text(symbol, short_name_size);
}

std::vector<std::uint64_t> coff_section_headers(ByteView object) {
    const auto count = object.load<std::uint16_t>(2);
    const std::uint64_t first = header_size + object.load<std::uint16_t>(16);
    if (!object.holds(first, count * section_header_size)) {
        throw not_a_coff_object();
    }
    std::vector<std::uint64_t> headers;
    for (std::uint64_t index = 0; index < count; ++index) {
        headers.push_back(first + index * section_header_size);
    }
    return headers;
}

// `/17` stands for the text at 17 of the string table.
std::string_view coff_section_name(ByteView object, const CoffSymbols& table, std::uint64_t header) {
    const std::string_view name = object.fixed_text(header, short_name_size);
    std::uint64_t offset = 0;
    if (name.starts_with('/')) {
        const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), offset);
        if (error == std::errc() && end == name.data() + name.size()) {
            return long_name(object, table, offset);
        }
    }
    return name;
}

// Where there are more than the header's 16 bits can count, the first stands for their number, itself included.
std::vector<CoffRelocation> coff_relocations(ByteView object, const CoffSymbols& table, std::uint64_t header) {
    constexpr std::uint32_t count_overflows = 0x01000000;  // IMAGE_SCN_LNK_NRELOC_OVFL
    const std::uint64_t start = object.load<std::uint32_t>(header + 24);
    std::uint64_t count = object.load<std::uint16_t>(header + 32);
    std::uint64_t first = 0;
    if ((object.load<std::uint32_t>(header + 36) & count_overflows) != 0 && count == 0xFFFF) {
        count = object.load<std::uint32_t>(start);
        first = 1;
    }
    if (!object.holds(start, count * relocation_size)) {
        throw not_a_coff_object();
    }
    std::vector<CoffRelocation> relocations;
    for (std::uint64_t index = first; index < count; ++index) {
        const std::uint64_t place = start + index * relocation_size;
        const CoffRelocation relocation{.offset = object.load<std::uint32_t>(place),
                                        .symbol = object.load<std::uint32_t>(place + 4),
                                        .type = object.load<std::uint16_t>(place + 8)};
        if (relocation.symbol >= table.count) {
            throw not_a_coff_object();
        }
        relocations.push_back(relocation);
    }
    return relocations;
}

}  // namespace nasm_build::toolchain
