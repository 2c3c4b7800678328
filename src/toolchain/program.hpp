// A file that may be a program: its name, what keeps it from being run, and how it answers when asked for its version. What
// the searches for NASM and for a linker have in common.
#pragma once

#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

/// Whether the text is a name to look for in PATH, and no path.
[[nodiscard]] bool is_bare_name(std::string_view text) noexcept;

/// The name as programs have it on this system: on Windows with `.exe`.
[[nodiscard]] std::string with_program_suffix(std::string name);

/// The path as text, absolute, because programs are run in the project's folder, whatever folder this is; no link in it is
/// resolved.
[[nodiscard]] std::string absolute_text(const std::filesystem::path& path);

/// Every candidate that was passed over, in one line: `PATH (origin): reason; …`. `Rejected` has path, origin and reason, and
/// its namespace names the origin.
template <typename Rejected>
[[nodiscard]] std::string list_of(const std::vector<Rejected>& rejected) {
    std::string text;
    for (const Rejected& one : rejected) {
        text += fmt::format("{}{} ({}): {}", text.empty() ? "" : "; ", one.path, name_of(one.origin), one.reason);
    }
    return text;
}

/// Why a program that somebody named is of no use.
template <typename Rejected>
[[nodiscard]] std::string why_not(const std::vector<Rejected>& rejected) {
    return rejected.empty()       ? "no folder of PATH has it"
           : rejected.size() == 1 ? rejected.front().reason
                                  : list_of(rejected);
}

/// What keeps the file from being run: `there is no such file`, `it is a folder`; empty when nothing does.
[[nodiscard]] std::string obstacle_to_running(const std::string& path);

/// The output's first line that says something, shortened and in quotation marks, or `nothing`.
[[nodiscard]] std::string said(std::string_view output);

/// The same without quotation marks.
[[nodiscard]] std::string first_line(std::string_view output);

struct ProgramAnswer {
    std::string output;
    int status = 0;
    std::string reason;  ///< why there is no answer; empty when the program ended by itself
};

/// Runs `words` with `question` at the end, for at most `time_limit`.
[[nodiscard]] ProgramAnswer ask_program(std::vector<std::string> words, const std::string& question,
                                        std::chrono::milliseconds time_limit);

}  // namespace nasm_build::toolchain
