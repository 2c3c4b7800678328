// What the build, the file's name or the command line says that a module must be.
//
// Three sources, and a rule (file-name) for where they contradict each other: the command line wins, then the wheel's
// tag, then the file's own name.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::inspect {

/// Two sources that name different things, so that one of them is wrong.
struct Conflict {
    std::string said;  ///< what the file's name says, in words: `CPython 3.12`, `linux-x86_64`
    std::string expected;  ///< what the stronger source says, in words
    std::string by;  ///< which source that is: `the wheel's tag`, `the command line`
};

/// What the wheel that a binary lies in brings beside it.
struct WheelContents {
    std::set<std::string, std::less<>>
        binaries;  ///< the file names of its modules and libraries, without their folders
    bool has_dependencies = false;  ///< it requires other distributions, which may bring libraries as well
};

struct Expectations {
    /// The module's full dotted name as far as it is known (`pkg.mod`, or just `mod`); empty when it is no module.
    std::string module_name;
    /// False for a library that happens to lie beside modules: entry-point rules are then not applicable.
    bool is_extension_module = true;
    /// The file's name has one of the suffixes that only modules have: `.cpython-313-….so`, `.abi3.so`, `.pyd`.
    bool has_module_suffix = false;
    /// The module is a package's own (`pkg/__init__.….so`): module_name is the package's.
    bool is_package = false;

    /// What the file's name has from its first dot on: `.abi3.so`.
    std::string suffix;

    /// The CPython it is built for; with a stable ABI the oldest one. Nothing when nobody said.
    std::optional<toolchain::PythonBuild> python;
    /// Every build that is promised, `python` among them: a wheel's compressed tag may name several.
    std::vector<toolchain::PythonBuild> pythons;
    /// The stable ABI of a file that is named `.abi3.so` when nobody said from which version on.
    std::optional<toolchain::Abi> unversioned_abi;
    /// `PyPy`, `GraalPy`: an implementation whose names and hooks are not CPython's. Empty for CPython, or unknown.
    std::string other_implementation;

    /// Every target that is promised; the first is the one that is shown. Empty when nobody said.
    std::vector<toolchain::Target> targets;
    /// A wheel's platform tags as they are written: `manylinux_2_17_x86_64`, `manylinux2014_x86_64`.
    std::vector<std::string> platform_tags;
    /// The format that the file's name asks for where it names no machine: `-darwin.so`, `.pyd`.
    std::optional<Format> format;
    /// A tag promises that it runs on other machines than the one it was built on: manylinux, musllinux, macosx, win.
    bool promised_elsewhere = false;

    /// What else is in the wheel that it lies in; nothing outside of one.
    std::shared_ptr<const WheelContents> wheel;

    /// The file's name against the stronger sources; filled by `merge`.
    std::vector<Conflict> conflicts;
};

/// Reads `pkg/mod.cpython-313t-x86_64-linux-gnu.so`, `mod.cp313-win_amd64.pyd`, `mod.abi3.so`, `mod.pyd`, … `path` is
/// relative to the folder that is on sys.path (inside a wheel), so folders before the name become the package; an
/// absolute path gives the last part only. `__init__` gives the package's own name. A library is told by its folder
/// (`*.libs`, `.dylibs`) and by its name (`libfoo.so.1`, `.dll`, `.dylib`).
[[nodiscard]] Expectations expectations_from_path(std::string_view path);

/// Reads `name-1.0-cp313-cp313t-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`, compressed sets included; of several
/// Pythons the oldest is `python`. Everything is unknown for a name that is no wheel's.
[[nodiscard]] Expectations expectations_from_wheel_name(std::string_view file_name);

/// What the command line says.
struct CommandLineExpectations {
    std::string name;
    std::optional<toolchain::PythonBuild> python;
    std::optional<toolchain::Target> target;
};

/// Puts the sources together; see the head of this file.
[[nodiscard]] Expectations merge(const Expectations& file, const Expectations& wheel,
                                 const CommandLineExpectations& command_line);

/// Words for people: `CPython 3.13t`, `CPython 3.10 and later (abi3)`; `linux-x86_64`, `linux-x86_64 (musl)`.
[[nodiscard]] std::string describe(const toolchain::PythonBuild& python);
[[nodiscard]] std::string describe(const toolchain::Target& target);

}  // namespace nasm_build::inspect
