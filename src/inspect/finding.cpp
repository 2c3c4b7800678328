#include "inspect/finding.hpp"

#include <algorithm>
#include <iterator>

namespace nasm_build::inspect {

const char* name_of(Severity severity) noexcept {
    switch (severity) {
        case Severity::error:
            return "error";
        case Severity::warning:
            return "warning";
        case Severity::note:
            return "note";
    }
    return "error";
}

void append(Verdict& all, Verdict one) {
    std::move(one.findings.begin(), one.findings.end(), std::back_inserter(all.findings));
    std::move(one.not_checked.begin(), one.not_checked.end(), std::back_inserter(all.not_checked));
    std::move(one.not_applicable.begin(), one.not_applicable.end(), std::back_inserter(all.not_applicable));
}

void sort_by_severity(std::vector<Finding>& findings) {
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding& one, const Finding& other) { return one.severity < other.severity; });
}

}  // namespace nasm_build::inspect
