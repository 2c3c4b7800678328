// The door of the decoder: bytes of a module in, facts about its code out, on demand.
//
// Only instructions that control reaches from the start of a function count, so that tables among the code are not taken for
// instructions. A function is left out, and counted as such, when what it reaches cannot be decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_view.hpp"
#include "inspect/code/facts.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect::code {

/// Whether the code of the image is such that it can be scanned: x86-64, in a file that is loaded.
[[nodiscard]] bool is_scanned(const Image& image) noexcept;

/// Bytes of code, without looking at them: what a scan costs goes by it.
[[nodiscard]] std::uint64_t code_size(const Image& image) noexcept;

/// The bytes of the image within its file: all of them, or those of a fat file's slice. Throws Error when there is no such slice.
[[nodiscard]] ByteView bytes_of(ByteView file, const Image& image);

/// Scans one image; `file` is the whole file, of which a fat one has the image as a slice. Throws Error with one line.
[[nodiscard]] Code read_code(std::span<const std::byte> file, const Image& image);

}  // namespace nasm_build::inspect::code
