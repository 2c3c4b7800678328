// The functions that an `.eh_frame` section names (Linux Standard Base, "Exception Frames").
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_view.hpp"
#include "inspect/code/code_map.hpp"

namespace nasm_build::inspect::code {

/// Adds a start for each entry whose addresses are encoded as linkers do; `address` is that of the section. An entry that begins
/// with a change of the frame belongs to a function that jumps to it. Throws Error when the section is cut or damaged.
void read_eh_frame(ByteView section, std::uint64_t address, std::vector<Start>& starts);

}  // namespace nasm_build::inspect::code
