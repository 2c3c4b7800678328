// The entries of an `.eh_frame` section: a function each (Linux Standard Base, "Exception Frames").
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_view.hpp"
#include "inspect/code/frame_rows.hpp"

namespace nasm_build::inspect::code {

/// The entries whose addresses are encoded as linkers do, in the section's order; `address` is that of the section. Throws Error when
/// the section is cut or damaged.
[[nodiscard]] std::vector<FrameEntry> read_eh_frame(ByteView section, std::uint64_t address);

}  // namespace nasm_build::inspect::code
