// The compact unwind data of macOS: `__unwind_info` (<mach-o/compact_unwind_encoding.h>).
#pragma once

#include <cstdint>
#include <vector>

#include "inspect/code/code_map.hpp"

namespace nasm_build::inspect::code {

/// Adds an entry for each function that the section names and that its encoding describes; those that refer to `__eh_frame` are
/// left out. `base` is the address of the image's header. Stops where the section is damaged.
void read_compact_unwind(ByteView section, std::uint64_t base, std::vector<FrameEntry>& frames);

}  // namespace nasm_build::inspect::code
