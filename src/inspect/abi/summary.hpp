// What a function does to its caller, as far as it was found: what a call of it leaves and takes.
#pragma once

#include <cstdint>

#include "inspect/abi/registers.hpp"

namespace nasm_build::inspect::abi {

/// Begins as the least that a function can do, and grows with what is found on its paths.
struct Summary {
    RegisterSet changed;  ///< general registers that some return leaves different
    RegisterSet changed_vectors;  ///< the same of the low 16 bytes of vector registers
    RegisterSet destroyed = RegisterSet(0xFFFF);  ///< of the changed ones: calls left anything in them, on every path
    RegisterSet destroyed_vectors = RegisterSet(0xFFFF);
    bool returns = false;  ///< some path comes back
    bool is_followed = true;  ///< false where something could not be followed: the convention is all that is known
    bool needs_alignment = false;  ///< calls out, or uses 16 bytes of its own stack at once
    bool writes_home = false;  ///< Win64: puts something into the 32 bytes that its caller leaves it
    bool leaves_direction = false;  ///< DF may be set behind it
    bool leaves_upper_used = false;  ///< the upper halves of the ymm registers, on some path
    bool may_leave_upper_alone = false;  ///< on some path nothing clears them
    std::uint8_t changed_floating = 0;  ///< as State::floating
    std::int64_t pops = 0;  ///< bytes of arguments that its return takes from the stack

    bool operator==(const Summary&) const = default;
};

}  // namespace nasm_build::inspect::abi
