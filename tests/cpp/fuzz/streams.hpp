// Instructions made up by chance: what a verifier of code must end on, whatever stands there.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "random.hpp"

namespace nasm_build::fuzz {

/// One instruction that a function could hold: of the kinds that a verifier follows (pushes, pops, moves and arithmetic of rsp, branches
/// near by, calls, returns, vector registers), with operands by chance.
[[nodiscard]] std::vector<std::byte> plausible_instruction(Random& random);

/// Fills code with a stream: random bytes, or plausible instructions with jumps through tables between them, or both in turns.
void fill_with_stream(std::span<std::byte> code, Random& random);

}  // namespace nasm_build::fuzz
