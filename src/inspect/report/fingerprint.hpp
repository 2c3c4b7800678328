// What stays the same about a finding from one build to the next, as a short text: a baseline and SARIF's consumers know it
// again by this.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

/// Gives the findings of one report their fingerprints, in the report's order.
///
/// A fingerprint is made of the rule, the file's name (that of a wheel without its version and tags), the member's, the
/// slice and the symbol; where a finding has no symbol, of its message. Folders, lines and severities do not count: they
/// change without a change of what is wrong. The second finding of the same kind has `:2` at its end, and so on.
class Fingerprints {
public:
    [[nodiscard]] std::string next(const FileReport& file, const Finding& finding);

private:
    std::unordered_map<std::string, std::size_t> seen_;
};

}  // namespace nasm_build::inspect
