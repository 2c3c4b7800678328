// CPython versions and ABIs, and what they make of a module's file name and of a wheel's tag.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "toolchain/target.hpp"

namespace nasm_build::toolchain {

struct PythonVersion {
    unsigned major = 3;
    unsigned minor = 0;
    auto operator<=>(const PythonVersion&) const = default;
};

/// Which promise a module makes: one CPython, or every later one (PEP 384, PEP 803).
enum class Abi : std::uint8_t { version_specific, abi3, abi3t };

struct PythonBuild {
    PythonVersion version;  ///< with `abi3` and `abi3t` the oldest version promised
    bool free_threaded = false;  ///< a `t` build; with abi3t both kinds are promised
    Abi abi = Abi::version_specific;
    bool debug = false;  ///< a `d` build
    bool operator==(const PythonBuild&) const = default;
};

/// `3.13`, `3.13t`, `3.13d`. Throws Error, with the fix, for anything else.
[[nodiscard]] PythonBuild parse_python(std::string_view text);

[[nodiscard]] std::string to_string(PythonVersion version);
/// `3.13t`, `abi3 from 3.10`, `abi3t from 3.15`.
[[nodiscard]] std::string to_string(const PythonBuild& build);

/// What follows the module's name: `.cpython-313-x86_64-linux-gnu.so`, `.cp313-win_amd64.pyd`, `.abi3.so`, `.pyd`.
[[nodiscard]] std::string module_suffix(const Target& target, const PythonBuild& build);

/// The three parts of a wheel's tag (PEP 425), the platform's without any manylinux claim.
struct WheelTag {
    std::string python;  ///< `cp313`
    std::string abi;  ///< `cp313`, `cp313t`, `abi3`, `abi3.abi3t`
    std::string platform;  ///< `linux_x86_64`, `macosx_11_0_x86_64`, `win_amd64`
};
[[nodiscard]] WheelTag wheel_tag(const Target& target, const PythonBuild& build);

}  // namespace nasm_build::toolchain
