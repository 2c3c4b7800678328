// Compact unwind data in the form that the unwinder of Linux reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image.hpp"

namespace macho_loader {

/// Records as in an .eh_frame section, with an end mark, for what `__TEXT,__unwind_info` says; empty when it says
/// nothing. Throws Error for damage, and for encodings that this loader does not know.
std::vector<std::byte> frame_records(const Image& image, std::uint64_t slide);

}  // namespace macho_loader
