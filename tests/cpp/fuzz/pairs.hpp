// A module with the object it was linked from in one run of bytes, so that an input of both is one file: to be kept, minimised and
// checked again.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "layout.hpp"

namespace nasm_build::fuzz {

/// The module's size in 4 bytes, the module, the object.
[[nodiscard]] std::vector<std::byte> join(std::span<const std::byte> module, std::span<const std::byte> object);

struct Pair {
    std::span<const std::byte> module;
    std::span<const std::byte> object;
};

/// A pair of any bytes.
[[nodiscard]] Pair split(std::span<const std::byte> joined);

/// The layout of the object alone: the module is there to be found in it.
[[nodiscard]] Layout layout_of_pair(std::span<const std::byte> joined);

}  // namespace nasm_build::fuzz
