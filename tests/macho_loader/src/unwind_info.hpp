// What `__TEXT,__unwind_info` says of each function: the table that linkers for macOS make of compact unwind data.
#pragma once

#include <cstdint>
#include <vector>

#include "image.hpp"

namespace macho_loader {

/// How a function's frame is left, from `start` up to `end`. Addresses are as the file counts.
struct UnwindRange {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint32_t encoding = 0;  // 0: not to be left by an unwinder
};

/// In the order of the addresses; none without such a section. Throws Error for damage.
std::vector<UnwindRange> read_unwind_info(const Image& image);

}  // namespace macho_loader
