// Follows the code of a module's entry points to the tables that it hands to CPython.
#pragma once

#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// Fills `entry_code` from the image's exports and contents. Nothing is guessed: a table is told only where its address is a
/// constant on a path from the entry point. Bounded by a number of instructions.
void follow_entry_points(Image& image);

}  // namespace nasm_build::inspect
