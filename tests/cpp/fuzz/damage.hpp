// Damaging a good file: faulty fields, flipped bits, copied and filled blocks, cuts.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "layout.hpp"
#include "random.hpp"

namespace nasm_build::fuzz {

/// A damaged copy. The same numbers make the same copy. Without cuts it has the size of the good one.
[[nodiscard]] std::vector<std::byte> damage(std::span<const std::byte> good, const Layout& layout, Random& random,
                                            bool may_cut = true);

}  // namespace nasm_build::fuzz
