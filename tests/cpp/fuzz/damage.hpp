// Damaging a good file: cut, flipped bits, lying fields, copied blocks.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "random.hpp"
#include "regions.hpp"

namespace nasm_build::fuzz {

/// A damaged copy. The same numbers make the same copy.
[[nodiscard]] std::vector<std::byte> damage(std::span<const std::byte> good, const std::vector<Region>& regions,
                                            Random& random);

}  // namespace nasm_build::fuzz
