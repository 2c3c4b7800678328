// The report for people: one line a finding, what to do about it below, and one line that sums up.
#include <fmt/core.h>

#include <iterator>

#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

namespace {

using Out = std::back_insert_iterator<std::string>;

std::string place_of(const FileReport& file) {
    std::string place = file.path;
    if (!file.member.empty()) {
        place += ": " + file.member;
    }
    if (!file.slice.empty()) {
        place += fmt::format(" ({})", file.slice);
    }
    return printable(place);
}

std::string place_of(const SourceLine& line) {
    return printable(line.line == 0 ? line.file : fmt::format("{}:{}", line.file, line.line));
}

void write(Out out, const FileReport& file, const Finding& finding) {
    constexpr std::size_t most_places = 5;
    const std::string place = finding.places.empty() ? place_of(file) : place_of(finding.places.front());
    const bool counts = finding.silenced.empty();
    fmt::format_to(out, "{}: {}{}: {} [{}]\n", place, counts ? "" : "silenced ", name_of(finding.severity),
                   printable(finding.message), finding.rule);
    for (std::size_t index = 1; index < finding.places.size() && index < most_places; ++index) {
        fmt::format_to(out, "  also: {}\n", place_of(finding.places[index]));
    }
    if (finding.places.size() > most_places) {
        fmt::format_to(out, "  also: {} more places\n", finding.places.size() - most_places);
    }
    if (!counts) {
        fmt::format_to(out, "  reason: {}\n", printable(finding.silenced));
    } else if (!finding.fix.empty()) {
        fmt::format_to(out, "  fix: {}\n", printable(finding.fix));
    }
}

void write(Out out, const FileReport& file) {
    if (file.status != FileStatus::checked) {
        fmt::format_to(out, "{}: {}: {}\n", place_of(file),
                       file.status == FileStatus::unreadable ? "error" : "not checked", printable(file.reason));
    }
    for (const Finding& finding : file.findings) {
        write(out, file, finding);
    }
    for (const NotChecked& rule : file.not_checked) {
        fmt::format_to(out, "{}: not checked: {}, because {}\n", place_of(file), rule.rule, printable(rule.reason));
    }
}

std::string counted(std::size_t count, const char* one, const char* many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string printable(const std::string& text) {
    std::string safe;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte < 0x20 || byte == 0x7F) {
            safe += fmt::format("\\x{:02x}", byte);
        } else {
            safe += letter;
        }
    }
    return safe;
}

std::string as_text(const Report& report) {
    std::string text;
    for (const FileReport& file : report.files) {
        write(std::back_inserter(text), file);
    }
    const Summary sum = summarize(report);
    text += "checked " + counted(sum.modules, "module", "modules");
    if (sum.libraries > 0) {
        text += " and " + counted(sum.libraries, "library", "libraries");
    }
    text += fmt::format(": {}, {}, {}", counted(sum.errors, "error", "errors"),
                        counted(sum.warnings, "warning", "warnings"), counted(sum.notes, "note", "notes"));
    if (sum.silenced > 0) {
        text += fmt::format(", {} silenced", sum.silenced);
    }
    if (sum.unreadable > 0) {
        text += ", " + counted(sum.unreadable, "file unreadable", "files unreadable");
    }
    text += "\n";
    if (sum.modules + sum.libraries > 0) {
        text += fmt::format("rules: {} passed, {} not applicable, {} not checked\n", sum.rules_passed,
                            sum.rules_not_applicable, sum.rules_not_checked);
    }
    return text;
}

}  // namespace nasm_build::inspect
