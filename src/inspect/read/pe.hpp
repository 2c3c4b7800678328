// PE: bytes in, Image out.
#pragma once

#include "inspect/image.hpp"
#include "inspect/read/byte_view.hpp"

namespace nasm_build::inspect::pe {

/// Reads a PE file (`.pyd`, `.dll`, `.exe`). Addresses in the Image are relative to the image's base. Throws Error with one line.
[[nodiscard]] Image read(ByteView file);

}  // namespace nasm_build::inspect::pe
