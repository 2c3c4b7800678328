// The findings that a project already had when it began to check: they are told, and do not count, until they are mended.
//
// A baseline is a JSON file that `nasm-ext check --write-baseline FILE` writes and that people may read in a diff: one
// entry a finding, with its fingerprint and, for the reader, the rule, the file and the message.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>

#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

/// Fingerprints of a baseline, each with `RULE: MESSAGE`.
using Baseline = std::unordered_map<std::string, std::string>;

/// Throws Error, naming the file, for one that is not there or is no baseline.
[[nodiscard]] Baseline read_baseline(const std::filesystem::path& file);

/// The findings that count now, as a baseline's text.
[[nodiscard]] std::string baseline_text(const Report& report);

/// Silences the findings that the baseline has, with the reason `it is in the baseline`. Its other entries become the
/// report's `mended`.
void silence_by_baseline(Report& report, Baseline baseline);

}  // namespace nasm_build::inspect
