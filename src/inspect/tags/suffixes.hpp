// The file names under which a CPython finds extension modules: `importlib.machinery.EXTENSION_SUFFIXES`, by version.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::inspect {

/// Every suffix that one CPython looks for, in its order. `python` is a version-specific build. Empty for a platform whose
/// suffixes are not known here.
[[nodiscard]] std::vector<std::string> extension_suffixes(const toolchain::Target& target,
                                                          const toolchain::PythonBuild& python);

/// The single CPythons that a promise names: itself, or every known one from the stable ABI's version on; for abi3t the
/// free-threaded ones as well.
[[nodiscard]] std::vector<toolchain::PythonBuild> promised_builds(const toolchain::PythonBuild& promise);

/// Whether that CPython looks for a file of that suffix; true where its suffixes are not known.
[[nodiscard]] bool looks_for(const toolchain::Target& target, const toolchain::PythonBuild& python,
                             std::string_view suffix);

}  // namespace nasm_build::inspect
