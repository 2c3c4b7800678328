#include "toolchain/coff_symbols.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "base/byte_view.hpp"
#include "base/error.hpp"

namespace nasm_build::toolchain {

namespace {

constexpr std::uint16_t machine_amd64 = 0x8664;
constexpr std::uint64_t header_size = 20;
constexpr std::uint64_t symbol_size = 18;
constexpr std::uint64_t short_name_size = 8;
constexpr std::uint8_t class_external = 2;
constexpr std::uint64_t section_header_size = 40;
constexpr std::uint64_t relocation_size = 10;
constexpr std::uint16_t relocation_addr32 = 2;  // IMAGE_REL_AMD64_ADDR32

Error not_an_object() {
    return Error("is no whole COFF object for x86-64", "assemble it with nasm -f win64, or compile it for x86-64");
}

// Every part of a lying object ends in the one refusal.
template <typename Read>
auto of_a_whole_object(const Read& read) {
    try {
        return read();
    } catch (const Error&) {
        throw not_an_object();
    }
}

// Where the symbol table and the strings behind it lie.
struct SymbolTable {
    std::uint64_t start = 0;
    std::uint64_t count = 0;

    [[nodiscard]] std::uint64_t strings() const { return start + count * symbol_size; }
};

SymbolTable symbol_table(ByteView object) {
    if (object.load<std::uint16_t>(0) != machine_amd64) {
        throw not_an_object();
    }
    const SymbolTable table{.start = object.load<std::uint32_t>(8), .count = object.load<std::uint32_t>(12)};
    if (table.start < header_size || !object.holds(table.start, table.count * symbol_size)) {
        throw not_an_object();
    }
    return table;
}

// A text of the string table, which begins with its own size in four bytes and ends each text with a zero byte.
std::string_view long_name(ByteView object, const SymbolTable& table, std::uint64_t offset) {
    const std::optional<std::string_view> name = object.text(table.strings() + offset);
    if (offset < 4 || !name) {
        throw not_an_object();
    }
    return *name;
}

std::string_view symbol_name(ByteView object, const SymbolTable& table, std::uint64_t index) {
    const std::uint64_t symbol = table.start + index * symbol_size;
    const bool is_long = object.load<std::uint32_t>(symbol) == 0;
    return is_long ? long_name(object, table, object.load<std::uint32_t>(symbol + 4))
                   : object.fixed_text(symbol, short_name_size);
}

// `/17` stands for the text at 17 of the string table.
std::string_view section_name(ByteView object, const SymbolTable& table, std::uint64_t header) {
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

// A section's relocations. Where there are more than the header's 16 bits can count, the first stands for their number.
struct Relocations {
    std::uint64_t start = 0;
    std::uint64_t count = 0;
};

Relocations relocations_of(ByteView object, std::uint64_t header) {
    constexpr std::uint32_t count_overflows = 0x01000000;  // IMAGE_SCN_LNK_NRELOC_OVFL
    Relocations relocations{.start = object.load<std::uint32_t>(header + 24),
                            .count = object.load<std::uint16_t>(header + 32)};
    if ((object.load<std::uint32_t>(header + 36) & count_overflows) != 0 && relocations.count == 0xFFFF) {
        relocations.count = object.load<std::uint32_t>(relocations.start);
    }
    if (!object.holds(relocations.start, relocations.count * relocation_size)) {
        throw not_an_object();
    }
    return relocations;
}

std::vector<std::string_view> read_defined_names(ByteView object) {
    const SymbolTable table = symbol_table(object);
    std::vector<std::string_view> names;
    for (std::uint64_t index = 0; index < table.count; ++index) {
        const std::uint64_t symbol = table.start + index * symbol_size;
        const auto section = object.load<std::uint16_t>(symbol + 12);
        const bool is_defined = section != 0 && section < 0xFFFE;  // absolute and debug symbols are 0xFFFF and 0xFFFE
        if (is_defined && object.load<std::uint8_t>(symbol + 16) == class_external) {
            names.push_back(symbol_name(object, table, index));
        }
        index += object.load<std::uint8_t>(symbol + 17);  // auxiliary records are counted as symbols
        if (index >= table.count) {
            throw not_an_object();
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<ShortReference> read_short_references(ByteView object) {
    const SymbolTable table = symbol_table(object);
    const auto sections = object.load<std::uint16_t>(2);
    const std::uint64_t headers = header_size + object.load<std::uint16_t>(16);
    std::vector<ShortReference> found;
    for (std::uint64_t index = 0; index < sections; ++index) {
        const std::uint64_t header = headers + index * section_header_size;
        const std::string_view section = section_name(object, table, header);
        if (section.starts_with(".debug")) {
            continue;
        }
        const Relocations relocations = relocations_of(object, header);
        for (std::uint64_t number = 0; number < relocations.count; ++number) {
            const std::uint64_t relocation = relocations.start + number * relocation_size;
            if (object.load<std::uint16_t>(relocation + 8) != relocation_addr32) {
                continue;
            }
            const auto symbol = object.load<std::uint32_t>(relocation + 4);
            if (symbol >= table.count) {
                throw not_an_object();
            }
            found.push_back({.symbol = symbol_name(object, table, symbol),
                             .section = section,
                             .offset = object.load<std::uint32_t>(relocation)});
        }
    }
    return found;
}

}  // namespace

std::vector<std::string_view> defined_names(std::span<const std::byte> object) {
    return of_a_whole_object([&] { return read_defined_names(object); });
}

std::vector<ShortReference> short_references(std::span<const std::byte> object) {
    return of_a_whole_object([&] { return read_short_references(object); });
}

bool is_entry_point(std::string_view name) noexcept {
    constexpr auto prefixes = std::to_array<std::string_view>({"PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_"});
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace nasm_build::toolchain
