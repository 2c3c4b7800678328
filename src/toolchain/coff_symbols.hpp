// The names that a COFF object defines for others: what a linker for Windows must be told to export.
//
// On ELF and Mach-O a pattern says which names leave the module; lld-link takes names alone, so the objects are asked.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

/// The external names that the object defines, sorted. Throws Error for bytes that are no COFF object for x86-64.
[[nodiscard]] std::vector<std::string> defined_names(std::span<const std::byte> object);

/// Whether an interpreter looks for the name in a module: `PyInit_x`, `PyModExport_x` and their forms for names beyond
/// ASCII.
[[nodiscard]] bool is_entry_point(std::string_view name) noexcept;

}  // namespace nasm_build::toolchain
