// Whether a name keeps the promise of the stable ABI.
#pragma once

#include <optional>

#include "inspect/data/python_symbols.hpp"
#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// What is wrong with a known name in a module that promises abi3 or abi3t; nothing when it may be used.
///
/// An error where a CPython that the promise covers is known not to have the name; a warning where every known one
/// happens to have it, and only the promise for later ones is missing.
[[nodiscard]] std::optional<Finding> check_stable_name(const Image& image, const PythonSymbol& symbol,
                                                       const Expectations& expected);

}  // namespace nasm_build::inspect
