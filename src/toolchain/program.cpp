#include "toolchain/program.hpp"

#include <system_error>

#include "base/environment.hpp"
#include "base/process.hpp"

#ifndef _WIN32
#include <unistd.h>
#endif

namespace nasm_build::toolchain {

namespace fs = std::filesystem;

namespace {

#ifdef _WIN32
constexpr std::string_view program_suffix = ".exe";
constexpr std::string_view separators = "/\\";
#else
constexpr std::string_view program_suffix = "";
constexpr std::string_view separators = "/";
#endif

}  // namespace

bool is_bare_name(std::string_view text) noexcept {
    return text.find_first_of(separators) == std::string_view::npos;
}

std::string with_program_suffix(std::string name) {
    if (!program_suffix.empty() && !name.ends_with(program_suffix)) {
        name += program_suffix;
    }
    return name;
}

std::string absolute_text(const fs::path& path) {
    std::error_code error;
    const fs::path whole = fs::absolute(path, error);
    return path_to_utf8((error ? path : whole).lexically_normal());
}

std::string obstacle_to_running(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path_from_utf8(path), error);
    if (status.type() == fs::file_type::not_found) {
        std::error_code ignored;
        return fs::is_symlink(path_from_utf8(path), ignored) ? "it is a link to a file that is not there"
                                                             : "there is no such file";
    }
    if (!fs::exists(status)) {
        return error.message();
    }
    if (fs::is_directory(status)) {
        return "it is a folder";
    }
    if (!fs::is_regular_file(status)) {
        return "it is not a file";
    }
#ifndef _WIN32
    if (::access(path.c_str(), X_OK) != 0) {
        return "it is not executable";
    }
#endif
    return {};
}

std::string first_line(std::string_view output) {
    constexpr std::size_t longest = 100;
    const std::size_t start = output.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) {
        return {};
    }
    output = output.substr(start);
    output = output.substr(0, output.find_first_of("\r\n"));
    std::string line;
    for (const char letter : output.substr(0, longest)) {
        line += static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f ? '?' : letter;
    }
    return line + (output.size() > longest ? "…" : "");
}

std::string said(std::string_view output) {
    const std::string line = first_line(output);
    return line.empty() ? "nothing" : fmt::format("\"{}\"", line);
}

ProgramAnswer ask_program(std::vector<std::string> words, const std::string& question,
                          std::chrono::milliseconds time_limit) {
    words.push_back(question);
    ProcessResult result = run_process(words, time_limit);
    ProgramAnswer answer{.output = std::move(result.output), .status = result.status, .reason = {}};
    switch (result.end) {
        case ProcessResult::End::not_started:
            answer.reason = fmt::format("it could not be started: {}", system_message(result.status));
            break;
        case ProcessResult::End::timed_out:
            answer.reason = fmt::format("it did not answer `{}` within {:g} s", question,
                                        std::chrono::duration<double>(time_limit).count());
            break;
        case ProcessResult::End::killed_by_signal:
            answer.reason = fmt::format("it was ended by {} when asked for its version", signal_name(result.status));
            break;
        case ProcessResult::End::exited:
            break;
    }
    return answer;
}

}  // namespace nasm_build::toolchain
