// ELF: bytes in, Image out.
#pragma once

#include "base/byte_view.hpp"
#include "inspect/image.hpp"
#include "inspect/read/options.hpp"

namespace nasm_build::inspect::elf {

/// Reads a little-endian ELF file. Throws Error with one line.
[[nodiscard]] Image read(ByteView file, const ReadOptions& options);

}  // namespace nasm_build::inspect::elf
