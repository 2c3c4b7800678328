// The names that every CPython process on Linux has from its C library, whether or not a module asks for that library.
//
// The table is generated (tools/python_symbols/c_library.py); c_library_symbols.inc says from which glibc it was read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nasm_build::inspect {

/// Where the C library keeps a name.
enum class CLibraryPart : std::uint8_t { main, math };

/// The part that has the name; nothing when it is no name of the C library.
[[nodiscard]] std::optional<CLibraryPart> find_c_library_symbol(std::string_view name) noexcept;

}  // namespace nasm_build::inspect
