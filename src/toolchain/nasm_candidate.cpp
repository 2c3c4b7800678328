#include "toolchain/nasm_candidate.hpp"

#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "base/environment.hpp"
#include "base/process.hpp"
#include "toolchain/nasm_version.hpp"

#ifndef _WIN32
#include <unistd.h>
#endif

namespace nasm_build::toolchain {

namespace {

namespace fs = std::filesystem;

NasmCandidate rejected(std::string reason) {
    NasmCandidate candidate;
    candidate.reason = std::move(reason);
    return candidate;
}

// What keeps the file from being run, or empty.
std::string obstacle(const std::string& path) {
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

// The first line that says something, shortened, for the reason.
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

// PyPI's package `nasm` is an assembler for the 6502 whose script has NASM's name (OpenUSD#1422). Under Python 3 it
// dies of its own imports, so its answer tells nothing, but the script that pip writes names its module.
bool is_6502_assembler(const std::string& path, std::string_view output) {
    if (output.find("6502") != std::string_view::npos || output.find("nasm.console") != std::string_view::npos) {
        return true;
    }
    std::ifstream file(path_from_utf8(path), std::ios::binary);
    std::array<char, 1024> beginning{};
    file.read(beginning.data(), beginning.size());
    const std::string_view text(beginning.data(), static_cast<std::size_t>(file.gcount()));
    return text.starts_with("#!") && text.find("from nasm.") != std::string_view::npos;
}

bool is_yasm(std::string_view output) {
    return output.starts_with("yasm");
}

NasmCandidate judge_version(const std::string& text) {
    const std::optional<NasmVersion> version = parse_nasm_version(text);
    if (!version) {
        return rejected(
            fmt::format("it says that it is NASM, but its version \"{}\" makes no sense", first_line(text)));
    }
    if (*version < oldest_nasm) {
        NasmCandidate candidate =
            rejected(fmt::format("it is NASM {}, and {} is the oldest that is used", text, oldest_nasm_text));
        candidate.too_old = true;
        return candidate;
    }
    NasmCandidate candidate;
    candidate.version = text;
    candidate.warning = nasm_version_warning(*version);
    return candidate;
}

}  // namespace

NasmCandidate examine_nasm(const std::string& path, std::chrono::milliseconds time_limit) {
    if (std::string reason = obstacle(path); !reason.empty()) {
        return rejected(std::move(reason));
    }
    const ProcessResult answer = run_process({path, "-v"}, time_limit);
    switch (answer.end) {
        case ProcessResult::End::not_started:
            return rejected(fmt::format("it could not be started: {}", system_message(answer.status)));
        case ProcessResult::End::timed_out:
            return rejected(
                fmt::format("it did not answer `-v` within {:g} s", std::chrono::duration<double>(time_limit).count()));
        case ProcessResult::End::killed_by_signal:
            return rejected(fmt::format("it was ended by {} when asked for its version", signal_name(answer.status)));
        case ProcessResult::End::exited:
            break;
    }
    if (const std::optional<std::string> version = nasm_version_text(answer.output); version && answer.status == 0) {
        return judge_version(*version);
    }
    if (is_6502_assembler(path, answer.output)) {
        return rejected("it is an assembler for the 6502 (PyPI's package `nasm`), not NASM");
    }
    if (is_yasm(answer.output)) {
        return rejected("it is Yasm, not NASM");
    }
    if (answer.status != 0) {
        return rejected(
            fmt::format("`-v` ended with exit status {} and printed {}", answer.status, said(answer.output)));
    }
    return rejected(fmt::format("it is not NASM: `-v` printed {}", said(answer.output)));
}

}  // namespace nasm_build::toolchain
