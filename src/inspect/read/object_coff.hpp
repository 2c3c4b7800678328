// COFF objects for x86-64, as NASM writes them for Windows.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "inspect/read/object.hpp"

namespace nasm_build::inspect::coff {

/// See `code_of_object`.
[[nodiscard]] std::vector<ObjectCode> code_of(std::span<const std::byte> object);

}  // namespace nasm_build::inspect::coff
