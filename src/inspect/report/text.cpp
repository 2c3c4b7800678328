// The report for people: one line a finding, what to do about it below, and lines that sum up.
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

/// Writes one report; the style is the same for all of it.
class Writer {
public:
    Writer(Out out, const TextStyle& style) : out_(out), style_(style) {}

    void write(const FileReport& file) {
        if (file.status == FileStatus::unreadable) {
            fmt::format_to(out_, "{}: {}: {}\n", bold(place_of(file)), colored("error", Severity::error),
                           printable(file.reason));
        } else if (file.status == FileStatus::not_checked && !style_.quiet) {
            fmt::format_to(out_, "{}: not checked: {}\n", bold(place_of(file)), printable(file.reason));
        }
        for (const Finding& finding : file.findings) {
            if (!style_.quiet || fails(finding)) {
                write(file, finding);
            }
        }
        if (!style_.quiet) {
            write_rules(file);
        }
    }

private:
    [[nodiscard]] bool fails(const Finding& finding) const {
        const bool is_grave =
            finding.severity == Severity::error || (style_.strict && finding.severity == Severity::warning);
        return is_grave && finding.silenced.empty();
    }

    void write(const FileReport& file, const Finding& finding) {
        constexpr std::size_t most_places = 5;
        const std::string place = finding.places.empty() ? place_of(file) : place_of(finding.places.front());
        const bool counts = finding.silenced.empty();
        fmt::format_to(out_, "{}: {}{}: {} [{}]\n", bold(place), counts ? "" : "silenced ",
                       colored(name_of(finding.severity), finding.severity), printable(finding.message), finding.rule);
        for (std::size_t index = 1; index < finding.places.size() && index < most_places; ++index) {
            fmt::format_to(out_, "  also: {}\n", place_of(finding.places[index]));
        }
        if (finding.places.size() > most_places) {
            fmt::format_to(out_, "  also: {} more places\n", finding.places.size() - most_places);
        }
        for (const PathStep& step : finding.path) {
            fmt::format_to(out_, "    {}: {}\n",
                           step.source.file.empty() ? printable(step.location) : place_of(step.source), step.words);
        }
        if (!counts) {
            fmt::format_to(out_, "  reason: {}\n", printable(finding.silenced));
        } else if (!finding.fix.empty()) {
            fmt::format_to(out_, "  {} {}\n", bold("fix:"), printable(finding.fix));
        }
    }

    void write_rules(const FileReport& file) {
        const std::string place = bold(place_of(file));
        for (const NotChecked& rule : by_reason(file.not_checked)) {
            fmt::format_to(out_, "{}: not checked: {}, because {}\n", place, rule.rule, printable(rule.reason));
        }
        if (!style_.verbose) {
            return;
        }
        for (const NotApplicable& rule : file.not_applicable) {
            fmt::format_to(out_, "{}: not applicable: {}: {}\n", place, rule.rule, printable(rule.reason));
        }
        for (const std::string& rule : file.passed) {
            fmt::format_to(out_, "{}: passed: {}\n", place, rule);
        }
    }

    // Select Graphic Rendition: 1 is bold, 31 to 36 are colours, 0 ends both.
    [[nodiscard]] std::string colored(const char* word, Severity severity) const {
        const int color = severity == Severity::error ? 31 : severity == Severity::warning ? 33 : 36;
        return style_.color ? fmt::format("\x1b[1;{}m{}\x1b[0m", color, word) : std::string(word);
    }

    [[nodiscard]] std::string bold(const std::string& text) const {
        return style_.color ? "\x1b[1m" + text + "\x1b[0m" : text;
    }

    Out out_;
    TextStyle style_;
};

std::string counted(std::size_t count, const char* one, const char* many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string printable(const std::string& text) {
    std::string safe;
    // C2 80 to C2 9F is UTF-8 for the control characters U+0080 to U+009F; U+009B steers a terminal as ESC [ does.
    bool after_c2 = false;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        const bool is_upper_control = after_c2 && byte >= 0x80 && byte < 0xA0;
        after_c2 = byte == 0xC2;
        if (byte < 0x20 || byte == 0x7F || is_upper_control) {
            safe += fmt::format("\\x{:02x}", byte);
        } else {
            safe += letter;
        }
    }
    return safe;
}

std::string summary_lines(const Report& report) {
    const Summary sum = summarize(report);
    std::string text = "checked " + counted(sum.modules, "module", "modules");
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
    if (sum.functions_followed > 0) {
        text += fmt::format("conventions: {} followed on every path; taken for granted: {}\n",
                            counted(sum.functions_followed, "function", "functions"), taken_for_granted);
    }
    if (sum.modules + sum.libraries > 0) {
        text += fmt::format("rules: {} passed, {} not applicable, {} not checked\n", sum.rules_passed,
                            sum.rules_not_applicable, sum.rules_not_checked);
    }
    if (!report.mended.empty()) {
        text += fmt::format("baseline: {} of it no longer found: --write-baseline takes {} out\n",
                            counted(report.mended.size(), "finding", "findings"),
                            report.mended.size() == 1 ? "it" : "them");
    }
    return text;
}

std::string as_text(const Report& report, const TextStyle& style) {
    std::string text;
    Writer writer(std::back_inserter(text), style);
    for (const FileReport& file : report.files) {
        writer.write(file);
    }
    return style.quiet ? text : text + summary_lines(report);
}

}  // namespace nasm_build::inspect
