// What the files of one call say together: the wheels of one release, module by module.
#pragma once

#include <span>

#include "inspect/report/report.hpp"
#include "inspect/silence.hpp"

namespace nasm_build::inspect {

/// Compares the modules of the same wheel name and version (or, without wheels, of the same name) for different platforms, and
/// adds the findings to their entries.
void compare_releases(Report& report, std::span<const Suppression> suppressions);

}  // namespace nasm_build::inspect
