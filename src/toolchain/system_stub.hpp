// The text stub of macOS' libSystem: what a linker must know of it, where there is no macOS SDK.
#pragma once

#include <string>

namespace nasm_build::toolchain {

/// A file that LLVM's ld64 takes for /usr/lib/libSystem.B.dylib (tapi-tbd version 4), with the names of C and POSIX that
/// Linux' C library has as well. dyld loads no module that does not name this library.
[[nodiscard]] std::string system_library_stub();

}  // namespace nasm_build::toolchain
