// The words that NASM is given for a target: the one place they come from, for Python, for CMake and for people.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::toolchain {

/// The words to put after `nasm`, before the source's own; empty for a target that NASM cannot write for.
[[nodiscard]] std::vector<std::string> nasm_flags(const Target& target, const std::optional<PythonBuild>& build);

/// The words as one line for a POSIX shell, quoted where they need it.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

}  // namespace nasm_build::toolchain
