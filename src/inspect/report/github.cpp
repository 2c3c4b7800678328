// The report as GitHub Actions takes it from a step's output: a workflow command a finding, which becomes an annotation of
// the pull request. Then the same line that sums up the text report.
//
// The form is that of "Workflow commands for GitHub Actions": `::error file=…,line=…,title=…::message`, in which `%`, line
// ends and, among the properties, `:` and `,` are percent-encoded.
#include <fmt/core.h>

#include <iterator>
#include <string_view>

#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

namespace {

using Out = std::back_insert_iterator<std::string>;

std::string escaped(std::string_view text, std::string_view also) {
    std::string safe;
    for (const char letter : text) {
        if (letter == '%' || letter == '\r' || letter == '\n' || also.find(letter) != std::string_view::npos) {
            safe += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
        } else {
            safe += letter;
        }
    }
    return safe;
}

// A binary's names may have control characters in them, and a workflow's log is read on a terminal too.
std::string message_text(const std::string& text, const std::string& fix = {}) {
    const std::string line = escaped(printable(text), "");
    return fix.empty() ? line : fmt::format("{}%0Afix: {}", line, escaped(printable(fix), ""));
}

std::string property(const std::string& text) {
    return escaped(printable(text), ":,");
}

const char* command_of(Severity severity) {
    return severity == Severity::note ? "notice" : name_of(severity);
}

std::string subject(const FileReport& file) {
    std::string name = file.member.empty() ? file.path : file.path + ": " + file.member;
    return file.slice.empty() ? name : fmt::format("{} ({})", name, file.slice);
}

void write(Out out, const FileReport& file, const Finding& finding) {
    const bool has_place = !finding.places.empty();
    const SourceLine place = has_place ? finding.places.front() : SourceLine{file.path, 0};
    const std::string line = place.line == 0 ? std::string() : fmt::format(",line={}", place.line);
    const std::string text = has_place ? finding.message : fmt::format("{}: {}", subject(file), finding.message);
    fmt::format_to(out, "::{} file={}{},title={}::{}\n", command_of(finding.severity), property(place.file), line,
                   property(finding.rule), message_text(text, finding.fix));
}

void write(Out out, const FileReport& file) {
    if (file.status == FileStatus::unreadable) {
        fmt::format_to(out, "::error file={},title=unreadable::{}\n", property(file.path),
                       message_text(fmt::format("{}: {}", subject(file), file.reason)));
    } else if (file.status == FileStatus::not_checked) {
        fmt::format_to(out, "::notice file={},title=not checked::{}\n", property(file.path),
                       message_text(fmt::format("{}: not checked: {}", subject(file), file.reason)));
    }
    for (const Finding& finding : file.findings) {
        if (finding.silenced.empty()) {
            write(out, file, finding);
        }
    }
    for (const NotChecked& rule : by_reason(file.not_checked)) {
        fmt::format_to(
            out, "::notice file={},title={} not checked::{}\n", property(file.path), property(rule.rule),
            message_text(fmt::format("{}: {} was not checked, because {}", subject(file), rule.rule, rule.reason)));
    }
}

}  // namespace

std::string as_github(const Report& report) {
    std::string text;
    for (const FileReport& file : report.files) {
        write(std::back_inserter(text), file);
    }
    return text + summary_lines(report);
}

}  // namespace nasm_build::inspect
