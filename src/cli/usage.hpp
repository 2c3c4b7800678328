// What is said when the words after nasm-ext make no sense.
#pragma once

#include <CLI/CLI.hpp>

#include "base/error.hpp"

namespace nasm_build::cli {

/// The error to show for words that CLI11 refused, with the command that explains the right ones as its fix.
[[nodiscard]] Error usage_error(const CLI::App& app, const CLI::ParseError& refused);

}  // namespace nasm_build::cli
