// Findings that a project has looked at and lets stand, each with its reason.
//
// They come from the command line (--ignore RULE=REASON) and from pyproject.toml:
//     [tool.nasm-build.check]
//     ignore = [{ rule = "extra-exports", reason = "a C library of ours calls these" }]
//     baseline = "check-baseline.json"
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/finding.hpp"

namespace nasm_build::inspect {

struct Suppression {
    std::string rule;
    std::string reason;
};

/// Reads `RULE=REASON`. Throws Error for an unknown rule (with the one that was meant) and for a missing reason.
[[nodiscard]] Suppression parse_suppression(std::string_view text);

/// What a project's `[tool.nasm-build.check]` says.
struct CheckSettings {
    std::vector<Suppression> suppressions;
    std::filesystem::path baseline;  ///< empty, or the file, from the folder of pyproject.toml on
};

/// The settings of a pyproject.toml; empty ones when it has no `[tool.nasm-build.check]`. Throws Error, naming the file and
/// the line, for a file that cannot be read, and for unknown keys, unknown rules and missing reasons.
[[nodiscard]] CheckSettings read_check_settings(const std::filesystem::path& pyproject);

/// Gives each finding of a suppressed rule the reason; the first suppression of a rule counts.
void silence(std::span<Finding> findings, std::span<const Suppression> suppressions);

}  // namespace nasm_build::inspect
