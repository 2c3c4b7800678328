// What an ELF file says to its loader, from the headers that the guard has checked: LIEF knows little of it.
#pragma once

#include "inspect/elf_facts.hpp"
#include "inspect/read/guard_elf.hpp"
#include "inspect/read/relocations_elf.hpp"

namespace nasm_build::inspect::elf {

[[nodiscard]] ElfFacts load_facts(ByteView file, const Layout& layout, const RelocationFacts& relocations);

/// The GNU property note as glibc finds it: in PT_GNU_PROPERTY, or where there is none in PT_NOTE. (properties_elf.cpp)
[[nodiscard]] GnuProperties gnu_properties(ByteView file, const Layout& layout);

}  // namespace nasm_build::inspect::elf
