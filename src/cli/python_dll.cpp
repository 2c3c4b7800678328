#include "cli/python_dll.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "inspect/data/python_symbols.hpp"
#include "toolchain/windows_names.hpp"

namespace nasm_build::cli {

namespace {

using toolchain::Abi;
using toolchain::PythonBuild;

std::string dll_name(const PythonBuild& build) {
    const bool is_stable = build.abi != Abi::version_specific;
    const bool has_threads = is_stable ? build.abi == Abi::abi3t : build.free_threaded;
    const std::string version = is_stable ? "" : std::to_string(build.version.minor);
    return fmt::format("python3{}{}{}.dll", version, has_threads ? "t" : "", build.debug ? "_d" : "");
}

// python3.dll forwards what the library of its version has: a stable name that this one lacks is not in it either.
bool is_in(const inspect::PythonSymbol& symbol, const PythonBuild& build) {
    const inspect::PythonExports python{.minor = build.version.minor,
                                        .platform = inspect::PythonPlatform::windows,
                                        .free_threaded = build.free_threaded || build.abi == Abi::abi3t,
                                        .debug = build.debug};
    if (build.abi != Abi::version_specific && symbol.stable_since().value_or(~0U) > build.version.minor) {
        return false;
    }
    return symbol.exported_by(python);
}

}  // namespace

PythonLibrary python_library(const PythonBuild& build) {
    if (build.version.minor < inspect::oldest_known_minor || build.version.minor > inspect::newest_known_minor) {
        throw Error(fmt::format("the names of CPython {} for Windows are not known: those of 3.{} to 3.{} are",
                                to_string(build.version), inspect::oldest_known_minor, inspect::newest_known_minor),
                    "build for one of these, or with a nasm-build that knows it: pip install --upgrade nasm-build");
    }
    PythonLibrary library{.dll = dll_name(build), .names = {}};
    for (const inspect::PythonSymbol& symbol : inspect::all_python_symbols()) {
        if (is_in(symbol, build)) {
            library.names.push_back({symbol.name(), toolchain::is_python_variable(symbol.name())
                                                        ? toolchain::ImportKind::variable
                                                        : toolchain::ImportKind::function});
        }
    }
    return library;
}

}  // namespace nasm_build::cli
