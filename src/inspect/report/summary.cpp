#include <algorithm>

#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

namespace {

void count(Summary& summary, const Finding& finding) {
    if (!finding.silenced.empty()) {
        ++summary.silenced;
        return;
    }
    switch (finding.severity) {
        case Severity::error:
            ++summary.errors;
            break;
        case Severity::warning:
            ++summary.warnings;
            break;
        case Severity::note:
            ++summary.notes;
            break;
    }
}

}  // namespace

Summary summarize(const Report& report) {
    Summary summary;
    const FileReport* before = nullptr;
    for (const FileReport& file : report.files) {
        const bool is_slice_of_same =
            before != nullptr && !file.slice.empty() && before->path == file.path && before->member == file.member;
        if (file.is_wheel) {
            ++summary.wheels;
        } else if (!is_slice_of_same) {
            ++summary.files;
            summary.unreadable += file.status == FileStatus::unreadable ? 1 : 0;
            if (file.status == FileStatus::checked) {
                ++(file.is_module ? summary.modules : summary.libraries);
            }
        }
        before = &file;
        summary.functions_followed += file.followed.functions - file.followed.not_followed;
        summary.rules_passed += file.passed.size();
        summary.rules_not_applicable += file.not_applicable.size();
        summary.rules_not_checked += file.not_checked.size();
        for (const Finding& finding : file.findings) {
            count(summary, finding);
        }
    }
    return summary;
}

std::vector<NotChecked> by_reason(const std::vector<NotChecked>& rules) {
    std::vector<NotChecked> grouped;
    for (const NotChecked& rule : rules) {
        const auto same = std::find_if(grouped.begin(), grouped.end(),
                                       [&](const NotChecked& one) { return one.reason == rule.reason; });
        if (same == grouped.end()) {
            grouped.push_back(rule);
        } else {
            same->rule += ", " + rule.rule;
        }
    }
    return grouped;
}

}  // namespace nasm_build::inspect
