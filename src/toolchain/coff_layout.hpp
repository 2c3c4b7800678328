// Where the parts of a COFF object for x86-64 lie: sections, symbols and relocations, with every number checked.
//
// Facts of Microsoft's "PE Format", sections COFF File Header, Section Table, COFF Relocations and COFF Symbol Table. Everything here
// throws Error for bytes that are no whole object, and every name lies in the object's bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_view.hpp"
#include "base/error.hpp"

namespace nasm_build::toolchain {

/// What a damaged or lying object is answered with.
[[nodiscard]] Error not_a_coff_object();

inline constexpr std::uint8_t coff_class_external = 2, coff_class_static = 3, coff_class_label = 6;

/// Where the symbol table and the strings behind it lie.
struct CoffSymbols {
    std::uint64_t start = 0;
    std::uint64_t count = 0;  ///< auxiliary records are counted as symbols

    [[nodiscard]] std::uint64_t place(std::uint64_t index) const noexcept { return start + index * 18; }
    [[nodiscard]] std::uint64_t strings() const noexcept { return place(count); }
};

[[nodiscard]] CoffSymbols coff_symbols(ByteView object);
[[nodiscard]] std::string_view coff_symbol_name(ByteView object, const CoffSymbols& table, std::uint64_t index);

/// Where the header of each section begins.
[[nodiscard]] std::vector<std::uint64_t> coff_section_headers(ByteView object);
[[nodiscard]] std::string_view coff_section_name(ByteView object, const CoffSymbols& table, std::uint64_t header);

struct CoffRelocation {
    std::uint32_t offset = 0;  ///< in the section
    std::uint32_t symbol = 0;  ///< of the table
    std::uint16_t type = 0;
};

/// The relocations of the section whose header begins there.
[[nodiscard]] std::vector<CoffRelocation> coff_relocations(ByteView object, const CoffSymbols& table,
                                                           std::uint64_t header);

}  // namespace nasm_build::toolchain
