#include "toolchain/coff_symbols.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/byte_view.hpp"
#include "base/error.hpp"
#include "toolchain/coff_layout.hpp"

namespace nasm_build::toolchain {

namespace {

constexpr std::uint16_t relocation_addr32 = 2;  // IMAGE_REL_AMD64_ADDR32

// Every part of a lying object ends in the one refusal.
template <typename Read>
auto of_a_whole_object(const Read& read) {
    try {
        return read();
    } catch (const Error&) {
        throw not_a_coff_object();
    }
}

std::vector<std::string_view> read_defined_names(ByteView object) {
    const CoffSymbols table = coff_symbols(object);
    std::vector<std::string_view> names;
    for (std::uint64_t index = 0; index < table.count; ++index) {
        const std::uint64_t symbol = table.place(index);
        const auto section = object.load<std::uint16_t>(symbol + 12);
        const bool is_defined = section != 0 && section < 0xFFFE;  // absolute and debug symbols are 0xFFFF and 0xFFFE
        if (is_defined && object.load<std::uint8_t>(symbol + 16) == coff_class_external) {
            names.push_back(coff_symbol_name(object, table, index));
        }
        index += object.load<std::uint8_t>(symbol + 17);  // auxiliary records are counted as symbols
        if (index >= table.count) {
            throw not_a_coff_object();
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<ShortReference> read_short_references(ByteView object) {
    const CoffSymbols table = coff_symbols(object);
    std::vector<ShortReference> found;
    for (const std::uint64_t header : coff_section_headers(object)) {
        const std::string_view section = coff_section_name(object, table, header);
        if (section.starts_with(".debug")) {
            continue;
        }
        for (const CoffRelocation& relocation : coff_relocations(object, table, header)) {
            if (relocation.type == relocation_addr32) {
                found.push_back({.symbol = coff_symbol_name(object, table, relocation.symbol),
                                 .section = section,
                                 .offset = relocation.offset});
            }
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
