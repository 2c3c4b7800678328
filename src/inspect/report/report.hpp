// What a check found, ready to be written down: one entry a file and slice, and the sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "inspect/finding.hpp"

namespace nasm_build::inspect {

enum class FileStatus : std::uint8_t { checked, unreadable, not_checked };

/// The level of x86-64 that a module has code for.
struct CodeLevel {
    unsigned level = 0;  ///< 1 for the baseline; 0 when its code was not read
    std::vector<std::string> functions;  ///< those of that level, above the baseline
};

/// How far the verifier of calling conventions followed a module's code.
struct Followed {
    std::uint64_t functions = 0;  ///< 0 when it was not asked, or could not
    std::uint64_t not_followed = 0;  ///< of them: not to their ends
};

/// What it takes for granted of every function, for a report to say.
inline constexpr const char* taken_for_granted = "that no store through a pointer hits a saved register";

struct FileReport {
    std::string path;  ///< as it was given
    std::string member;  ///< the name inside a wheel, or empty
    std::string slice;  ///< the slice of a fat Mach-O file, or empty
    FileStatus status = FileStatus::checked;
    std::string reason;  ///< why it was not checked; empty when it was
    std::string format;  ///< this and what follows is empty where it is not known
    std::string machine;
    bool is_wheel = false;  ///< the wheel as a whole; its binaries have entries of their own
    bool is_module = false;  ///< an extension module, not a library that lies beside one
    std::string module;  ///< the module's dotted name, as far as it is known
    std::string python;
    std::string target;
    std::vector<Finding> findings;
    std::vector<NotChecked> not_checked;
    std::vector<NotApplicable> not_applicable;
    CodeLevel code;
    Followed followed;
    std::vector<std::string> passed;  ///< ids of the rules that were checked and found nothing
};

struct Report {
    std::vector<FileReport> files = {};
    /// Findings of the baseline that were not found this time, each `RULE: MESSAGE`, in the order of their text.
    std::vector<std::string> mended = {};
};

struct Summary {
    std::size_t files = 0;  ///< files looked at; the slices of one file are one
    std::size_t modules = 0;  ///< of these, extension modules that were checked
    std::size_t wheels = 0;  ///< wheels that were checked as a whole, beside the files in them
    std::size_t libraries = 0;  ///< of these, other libraries that were checked
    std::size_t errors = 0;
    std::size_t warnings = 0;
    std::size_t notes = 0;
    std::size_t silenced = 0;
    std::size_t unreadable = 0;
    std::size_t functions_followed = 0;  ///< by the verifier of calling conventions, each to its end
    std::size_t rules_passed = 0;  ///< pairs of a rule and a file or slice; this and what follows
    std::size_t rules_not_applicable = 0;
    std::size_t rules_not_checked = 0;
};

[[nodiscard]] Summary summarize(const Report& report);

/// How the report for people is written.
struct TextStyle {
    bool color = false;  ///< with ANSI's escape sequences (ECMA-48), for a terminal
    bool quiet = false;  ///< only what makes the check fail: errors, with `strict` warnings too, and unreadable files
    bool strict = false;
    bool verbose = false;  ///< with a line for every rule that passed or is not applicable
};

/// For people: one line a finding, its fix below, then lines that sum up. Ends with a line break; empty when `quiet` and
/// nothing failed.
[[nodiscard]] std::string as_text(const Report& report, const TextStyle& style = {});

/// The last lines of a text report: the files and findings, and what became of the rules.
[[nodiscard]] std::string summary_lines(const Report& report);

/// For programs: docs/check.schema.json. Ends with a line break.
[[nodiscard]] std::string as_json(const Report& report);

/// For GitHub Actions: a workflow command a finding, which annotates the pull request, then the lines that sum up.
[[nodiscard]] std::string as_github(const Report& report);

/// SARIF 2.1.0, as code scanning services take it. Ends with a line break.
[[nodiscard]] std::string as_sarif(const Report& report);

/// The rules that were not checked for the same reason as one entry, `rule: first, second`, in the order of the first.
[[nodiscard]] std::vector<NotChecked> by_reason(const std::vector<NotChecked>& rules);

/// Text from a binary as it may go to a terminal: control characters are written as `\x1b`.
[[nodiscard]] std::string printable(const std::string& text);

}  // namespace nasm_build::inspect
