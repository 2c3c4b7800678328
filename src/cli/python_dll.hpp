// The DLL that a module for Windows takes CPython's names from, and which names those are.
#pragma once

#include <string>
#include <vector>

#include "toolchain/import_library.hpp"
#include "toolchain/python_abi.hpp"

namespace nasm_build::cli {

struct PythonLibrary {
    std::string dll;  ///< `python313.dll`, `python313t.dll`, `python3.dll`, `python3t.dll`
    std::vector<toolchain::ImportName> names;  ///< in the order of their bytes
};

/// For a stable ABI the names that every CPython from the promised one on has there. Throws Error for a version whose
/// names are not known.
[[nodiscard]] PythonLibrary python_library(const toolchain::PythonBuild& build);

}  // namespace nasm_build::cli
