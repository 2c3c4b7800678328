// How a platform is named in a module's file name and in a wheel's tag.
#pragma once

#include <string>
#include <string_view>

#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::toolchain {

/// Whether modules are `.pyd` files: Windows, and the Windows Pythons of MSYS2.
[[nodiscard]] bool is_windows(const Target& target) noexcept;

/// `.so`, and `.dll` under Cygwin. For targets that are not Windows.
[[nodiscard]] std::string_view library_extension(const Target& target) noexcept;

/// The triplet that CPython's configure puts into the file name (Misc/platform_triplet.c): `x86_64-linux-gnu`, `darwin`;
/// empty on the systems that it has none for.
[[nodiscard]] std::string platform_triplet(const Target& target, PythonVersion version);

/// The platform part of a wheel's tag (PEP 425).
[[nodiscard]] std::string wheel_platform(const Target& target, PythonVersion version);

}  // namespace nasm_build::toolchain
