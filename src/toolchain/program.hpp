// A file that may be a program: what keeps it from being run, and how it answers when asked for its version.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

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
