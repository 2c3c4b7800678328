// The unwind data of Windows: what the codes of an UNWIND_INFO say of a function's frame.
//
// Microsoft, "x64 exception handling": struct UNWIND_INFO and UNWIND_CODE.
#pragma once

#include <cstdint>

#include "inspect/code/frame_rows.hpp"
#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::code {

/// The entry of the table of functions that names these addresses. Throws Error where the data lie outside the file.
[[nodiscard]] FrameEntry frame_of(ByteView file, const pe::Layout& layout, std::uint32_t begin, std::uint32_t end,
                                  std::uint32_t unwind);

}  // namespace nasm_build::inspect::code
