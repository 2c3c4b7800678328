#include "toolchain/coff_symbols.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "base/error.hpp"

namespace nasm_build::toolchain {

namespace {

constexpr std::uint64_t machine_amd64 = 0x8664;
constexpr std::size_t header_size = 20;
constexpr std::size_t symbol_size = 18;
constexpr std::size_t short_name_size = 8;
constexpr std::uint64_t class_external = 2;
constexpr std::size_t section_header_size = 40;
constexpr std::size_t relocation_size = 10;
constexpr std::uint64_t relocation_addr32 = 2;  // IMAGE_REL_AMD64_ADDR32

Error not_an_object() {
    return Error("is no whole COFF object for x86-64", "assemble it with nasm -f win64, or compile it for x86-64");
}

std::uint64_t little(std::span<const std::byte> bytes, std::size_t offset, std::size_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) {
        throw not_an_object();
    }
    std::uint64_t number = 0;
    for (std::size_t index = size; index > 0; --index) {
        number = number << 8U | std::to_integer<std::uint64_t>(bytes[offset + index - 1]);
    }
    return number;
}

// Text up to a zero byte, or to the end of the field.
std::string_view text_at(std::span<const std::byte> bytes, std::size_t offset, std::size_t longest) {
    if (offset > bytes.size()) {
        throw not_an_object();
    }
    const auto field = bytes.subspan(offset, std::min(longest, bytes.size() - offset));
    const std::string_view text(reinterpret_cast<const char*>(field.data()), field.size());
    return text.substr(0, text.find('\0'));
}

// Where the symbol table and the strings behind it lie.
struct SymbolTable {
    std::size_t start = 0;
    std::size_t count = 0;

    [[nodiscard]] std::size_t strings() const { return start + count * symbol_size; }
};

SymbolTable symbol_table(std::span<const std::byte> object) {
    if (little(object, 0, 2) != machine_amd64) {
        throw not_an_object();
    }
    const SymbolTable table{.start = little(object, 8, 4), .count = little(object, 12, 4)};
    if (table.start < header_size || table.start > object.size() ||
        table.count > (object.size() - table.start) / symbol_size) {
        throw not_an_object();
    }
    return table;
}

// A text of the string table, which begins with its own size in four bytes and ends each text with a zero byte.
std::string_view long_name(std::span<const std::byte> object, const SymbolTable& table, std::size_t offset) {
    const std::string_view name = text_at(object, table.strings() + offset, object.size());
    const bool is_ended = table.strings() + offset + name.size() < object.size();
    if (offset < 4 || !is_ended) {
        throw not_an_object();
    }
    return name;
}

std::string_view symbol_name(std::span<const std::byte> object, const SymbolTable& table, std::size_t index) {
    const std::size_t symbol = table.start + index * symbol_size;
    const bool is_long = little(object, symbol, 4) == 0;
    return is_long ? long_name(object, table, little(object, symbol + 4, 4)) : text_at(object, symbol, short_name_size);
}

// `/17` stands for the text at 17 of the string table.
std::string_view section_name(std::span<const std::byte> object, const SymbolTable& table, std::size_t header) {
    const std::string_view name = text_at(object, header, short_name_size);
    std::size_t offset = 0;
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
    std::size_t start = 0;
    std::size_t count = 0;
};

Relocations relocations_of(std::span<const std::byte> object, std::size_t header) {
    constexpr std::uint64_t count_overflows = 0x01000000;  // IMAGE_SCN_LNK_NRELOC_OVFL
    Relocations relocations{.start = little(object, header + 24, 4), .count = little(object, header + 32, 2)};
    if ((little(object, header + 36, 4) & count_overflows) != 0 && relocations.count == 0xFFFF) {
        relocations.count = little(object, relocations.start, 4);
    }
    if (relocations.start > object.size() ||
        relocations.count > (object.size() - relocations.start) / relocation_size) {
        throw not_an_object();
    }
    return relocations;
}

}  // namespace

std::vector<std::string_view> defined_names(std::span<const std::byte> object) {
    const SymbolTable table = symbol_table(object);
    std::vector<std::string_view> names;
    for (std::size_t index = 0; index < table.count; ++index) {
        const std::size_t symbol = table.start + index * symbol_size;
        const std::uint64_t section = little(object, symbol + 12, 2);
        const bool is_defined = section != 0 && section < 0xFFFE;  // absolute and debug symbols are 0xFFFF and 0xFFFE
        if (is_defined && little(object, symbol + 16, 1) == class_external) {
            names.push_back(symbol_name(object, table, index));
        }
        index += little(object, symbol + 17, 1);  // auxiliary records are counted as symbols
        if (index >= table.count) {
            throw not_an_object();
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<ShortReference> short_references(std::span<const std::byte> object) {
    const SymbolTable table = symbol_table(object);
    const std::size_t sections = little(object, 2, 2);
    const std::size_t headers = header_size + little(object, 16, 2);
    std::vector<ShortReference> found;
    for (std::size_t index = 0; index < sections; ++index) {
        const std::size_t header = headers + index * section_header_size;
        const std::string_view section = section_name(object, table, header);
        if (section.starts_with(".debug")) {
            continue;
        }
        const Relocations relocations = relocations_of(object, header);
        for (std::size_t number = 0; number < relocations.count; ++number) {
            const std::size_t relocation = relocations.start + number * relocation_size;
            if (little(object, relocation + 8, 2) != relocation_addr32) {
                continue;
            }
            const std::size_t symbol = little(object, relocation + 4, 4);
            if (symbol >= table.count) {
                throw not_an_object();
            }
            found.push_back({.symbol = symbol_name(object, table, symbol),
                             .section = section,
                             .offset = static_cast<std::uint32_t>(little(object, relocation, 4))});
        }
    }
    return found;
}

bool is_entry_point(std::string_view name) noexcept {
    constexpr auto prefixes = std::to_array<std::string_view>({"PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_"});
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace nasm_build::toolchain
