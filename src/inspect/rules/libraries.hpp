// What a library's name says about it: whether it is Python's, the system's, or one that could have any symbol.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "inspect/image.hpp"
#include "toolchain/python_abi.hpp"

namespace nasm_build::inspect {

/// Python's own library on Linux and macOS: `libpython3.13t.so.1.0`, `@rpath/libpython3.13.dylib`,
/// `/…/Python.framework/Versions/3.13/Python`.
[[nodiscard]] bool is_libpython(std::string_view library) noexcept;

/// Which CPython the name of libpython or of the framework says that it is of; nothing when it says none (`libpython3.so`).
[[nodiscard]] std::optional<toolchain::PythonBuild> libpython_build(std::string_view library) noexcept;

/// A DLL of CPython for Windows: `python3.dll`, `python313t_d.dll`.
struct PythonDll {
    std::optional<toolchain::PythonVersion> version;  ///< nothing for the stable ABI's `python3.dll`
    bool free_threaded = false;
    bool debug = false;
};
[[nodiscard]] std::optional<PythonDll> parse_python_dll(std::string_view library) noexcept;

/// A library of the GNU family that gives every symbol a version: glibc's, libgcc_s, libstdc++, libgomp and the like.
/// An undefined symbol without a version is then not in it.
[[nodiscard]] bool versions_all_symbols(std::string_view library) noexcept;

/// A library that every system of its kind has: the C library and what belongs to it, libSystem, the Windows API.
[[nodiscard]] bool is_system_library(Format format, std::string_view library) noexcept;

/// With ASCII's capitals as small letters: Windows' libraries are found in any case.
[[nodiscard]] std::string lower(std::string_view text);

/// The last part of a path, whichever way its slashes lean.
[[nodiscard]] std::string_view base_name(std::string_view path) noexcept;

}  // namespace nasm_build::inspect
