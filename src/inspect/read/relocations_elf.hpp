// The relocations of an ELF file's dynamic linker: checked, and those that would write to read-only memory picked out.
#pragma once

#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::elf {

/// At most `limit` relocations whose place lies in a segment that is not mapped writable.
[[nodiscard]] std::vector<TextRelocation> text_relocations(ByteView file, const Layout& layout, std::size_t limit);

}  // namespace nasm_build::inspect::elf
