// What the build, the file's name or the command line says that a module must be.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "inspect/image.hpp"
#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::inspect {

struct Expectations {
    /// The module's full dotted name as far as it is known (`pkg.mod`, or just `mod`); empty when it is no module.
    std::string module_name;
    /// False for a library that happens to lie beside modules: entry-point rules are then not applicable.
    bool is_extension_module = true;
    /// The CPython it is built for; with a stable ABI the oldest one. Nothing when nobody said.
    std::optional<toolchain::PythonBuild> python;
    /// The target it is built for. Nothing when nobody said.
    std::optional<toolchain::Target> target;
};

/// Reads `pkg/mod.cpython-313t-x86_64-linux-gnu.so`, `mod.cp313-win_amd64.pyd`, `mod.abi3.so`, `mod.pyd`, … `path` is relative to the
/// folder that is on sys.path (inside a wheel), so folders before the name become the package; an absolute path gives
/// the last part only. `__init__` gives the package's own name.
[[nodiscard]] Expectations expectations_from_path(std::string_view path);

}  // namespace nasm_build::inspect
