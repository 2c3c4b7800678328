// Mach-O: bytes in, one Image a slice out.
#pragma once

#include <vector>

#include "base/byte_view.hpp"
#include "inspect/image.hpp"
#include "inspect/read/options.hpp"

namespace nasm_build::inspect::macho {

/// Reads a thin file: one Image.
[[nodiscard]] Image read(ByteView file, const ReadOptions& options);

/// Reads a fat file: one Image a slice, in the file's order. Messages name the slice.
[[nodiscard]] std::vector<Image> read_fat(ByteView file, const ReadOptions& options);

}  // namespace nasm_build::inspect::macho
