// PE: bytes in, Image out.
#pragma once

#include "base/byte_view.hpp"
#include "inspect/image.hpp"
#include "inspect/read/options.hpp"

namespace nasm_build::inspect::pe {

/// Reads a PE file (`.pyd`, `.dll`, `.exe`). Addresses in the Image are relative to the image's base. Throws Error with one line.
[[nodiscard]] Image read(ByteView file, const ReadOptions& options);

}  // namespace nasm_build::inspect::pe
