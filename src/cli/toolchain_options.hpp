// The words that name a target and a Python, which `toolchain` and `flags` share.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::cli {

struct TargetOptions {
    std::string platform;
    std::string pointer_bits;
    std::string c_library;
    std::string python;
    std::string stable_abi;
};

/// Adds --target, --pointer-bits, --c-library, --python and --abi3. `options` must outlive the parse.
void add_target_options(CLI::App& command, TargetOptions& options);

/// The target that was named, or the host. Throws Error.
[[nodiscard]] toolchain::Target chosen_target(const TargetOptions& options);

/// The Python that was named, and what the module is built for. Nothing when none was. Throws Error.
[[nodiscard]] std::optional<toolchain::PythonBuild> chosen_python(const TargetOptions& options);
[[nodiscard]] std::optional<toolchain::PythonBuild> chosen_build(const TargetOptions& options);

}  // namespace nasm_build::cli
