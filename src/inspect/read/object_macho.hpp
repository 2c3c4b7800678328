// Mach-O objects for x86-64, as NASM writes them for macOS.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "inspect/read/object.hpp"

namespace nasm_build::inspect::macho {

/// See `code_of_object`.
[[nodiscard]] std::vector<ObjectCode> code_of(std::span<const std::byte> object);

}  // namespace nasm_build::inspect::macho
