// Which functions of a module others call by the platform's convention: only these can be in error for what they do to a caller.
#pragma once

#include <cstdint>
#include <vector>

#include "inspect/image.hpp"

namespace nasm_build::inspect::abi {

/// The functions in the tables that a module hands to CPython: methods, slots, getters and setters, those of types. By address.
[[nodiscard]] std::vector<std::uint64_t> table_functions(const Image& image);

}  // namespace nasm_build::inspect::abi
