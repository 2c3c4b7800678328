// The verifier's door: a program in, faults out. Functions are taken from the ones that call nothing upwards.
#pragma once

#include "inspect/abi/fault.hpp"
#include "inspect/abi/program.hpp"

namespace nasm_build::inspect::abi {

[[nodiscard]] const Convention& convention_of(const Image& image) noexcept;

/// Verifies every function of the program.
[[nodiscard]] Verified verify(Program& program);

}  // namespace nasm_build::inspect::abi
