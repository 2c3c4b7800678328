// Where nasm-ext was installed: the Python package that came with it, its include folder, the NASM that it carries.
#pragma once

#include <filesystem>
#include <optional>

namespace nasm_build::toolchain {

/// The folder of the Python package `nasm_build` of the same version, looked for from the executable: the
/// site-packages of the same environment (`bin/` beside `lib/pythonX.Y/site-packages/`, `Scripts\` beside
/// `Lib\site-packages\`, also `--user` and `--target`). Nothing when nasm-ext runs from a build folder.
[[nodiscard]] std::optional<std::filesystem::path> find_package_folder(const std::filesystem::path& executable);

/// `include/` of the package: the NASM side of <Python.h>.
[[nodiscard]] std::optional<std::filesystem::path> find_include_folder(const std::filesystem::path& executable);

/// The NASM that a wheel of nasm-build may carry, for machines without one: `carried/nasm` (`carried\nasm.exe`) in the
/// package's folder. It is the last candidate of all.
[[nodiscard]] std::optional<std::filesystem::path> find_carried_nasm(const std::filesystem::path& executable);

}  // namespace nasm_build::toolchain
