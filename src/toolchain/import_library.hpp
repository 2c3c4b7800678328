// Writes the import library of a DLL: what a linker for Windows needs to know of a DLL that is not on this machine.
//
// Written by hand, because it is little and must be the same to the byte wherever a wheel is built: the archive and the
// short import objects of Microsoft's PE format specification (sections 7 and 8), without a time or a path in them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nasm_build::toolchain {

/// What a DLL exports under a name. For a function the library has two symbols, `NAME`, which jumps, and `__imp_NAME`,
/// where its address is; for a variable only the latter, because the former would read the jump's code as its value.
enum class ImportKind : std::uint8_t { function, variable };

struct ImportName {
    std::string_view name;
    ImportKind kind = ImportKind::function;
    std::string_view exported{};  ///< the DLL's own word for it, `_time64` for `time`; empty where it is the same
};

/// The library for x86-64: `dll` is the DLL's file name, `python313.dll`. Names must be in the order of their bytes.
[[nodiscard]] std::string import_library(std::string_view dll, std::span<const ImportName> names);

}  // namespace nasm_build::toolchain
