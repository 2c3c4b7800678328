// CPython versions and ABIs, and what they make of a module's file name and of a wheel's tag.
//
// Nothing here asks a running Python or setuptools: their abi3 suffix differs by version (on 3.15 setuptools writes one
// that 3.12-3.14 do not import) and is the wrong platform's in a cross build.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
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

/// `3.13`, `3.13t`, `3.13d`, `3.13td`. Throws Error, with the fix, for anything else.
[[nodiscard]] PythonBuild parse_python(std::string_view text);

/// `3.10` is abi3 from 3.10 on, `3.15t` is abi3t from 3.15 on. Throws Error, with the fix, for anything else and for a
/// version in which that ABI did not exist (abi3 began with 3.2, abi3t with 3.15).
[[nodiscard]] PythonBuild parse_stable_abi(std::string_view text);

/// What a module is built for, from the Python it is built with (`--python`) and the stable ABI it promises (`--abi3`);
/// nothing when neither is given. Throws Error when that Python could not import the module.
[[nodiscard]] std::optional<PythonBuild> choose_build(const std::optional<PythonBuild>& python,
                                                      const std::optional<PythonBuild>& stable_abi);

[[nodiscard]] std::string to_string(PythonVersion version);
/// `3.13t`, `abi3 from 3.10`, `abi3t from 3.15`.
[[nodiscard]] std::string to_string(const PythonBuild& build);
/// `version-specific`, `abi3`, `abi3t`.
[[nodiscard]] const char* name_of(Abi abi) noexcept;

/// The version as `Py_LIMITED_API` takes it: 0x030A0000 for 3.10.
[[nodiscard]] std::uint32_t hexadecimal_version(PythonVersion version) noexcept;

/// What follows the module's name: `.cpython-313-x86_64-linux-gnu.so`, `.cp313-win_amd64.pyd`, `.abi3.so`, `.pyd`.
/// Throws Error for an abi3 module of a free-threaded build and for abi3t below 3.15.
[[nodiscard]] std::string module_suffix(const Target& target, const PythonBuild& build);

/// The three parts of a wheel's tag (PEP 425), the platform's without any manylinux claim.
struct WheelTag {
    std::string python;  ///< `cp313`
    std::string abi;  ///< `cp313`, `cp313t`, `abi3`, `abi3.abi3t`
    std::string platform;  ///< `linux_x86_64`, `macosx_11_0_x86_64`, `win_amd64`
};
/// Throws as module_suffix() does.
[[nodiscard]] WheelTag wheel_tag(const Target& target, const PythonBuild& build);

}  // namespace nasm_build::toolchain
