// What the slices of a fat file say of each other.
#pragma once

#include <span>

#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// Compares each slice with the first: libraries, run paths, exports, Python's names, lowest system.
void compare_slices(Verdict& verdict, std::span<const Image> slices);

}  // namespace nasm_build::inspect
