// Entry points of an ELF file that are there and cannot be found by name.
#pragma once

#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::elf {

/// The defined symbols of `.symtab` that look like an entry point and are not among `exports`.
[[nodiscard]] std::vector<HiddenSymbol> hidden_symbols(ByteView file, const Layout& layout,
                                                       const std::vector<Export>& exports);

}  // namespace nasm_build::inspect::elf
