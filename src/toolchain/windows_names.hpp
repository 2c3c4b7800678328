// What the DLLs that a module for Windows may import from have: facts that come with no CPython for Linux.
//
// Both tables are generated (tools/python_symbols/windows_runtime.py and windows_variables.py).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "toolchain/import_library.hpp"

namespace nasm_build::toolchain {

/// Whether a name of CPython's DLLs is that of a variable: `PyExc_ValueError`, `PyLong_Type`.
[[nodiscard]] bool is_python_variable(std::string_view name) noexcept;

/// A DLL of Windows' C runtime and its functions, in the order of their bytes.
struct RuntimeLibrary {
    std::string_view dll;
    std::vector<ImportName> functions;
};

/// vcruntime140.dll, which every CPython for Windows brings, and the parts of the universal C runtime, which every
/// Windows has, with the functions that the C library of other systems has as well; in the order of their names.
[[nodiscard]] std::vector<RuntimeLibrary> runtime_libraries();

}  // namespace nasm_build::toolchain
