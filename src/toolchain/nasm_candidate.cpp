#include "toolchain/nasm_candidate.hpp"

#include <fmt/core.h>

#include <array>
#include <fstream>
#include <string_view>

#include "base/environment.hpp"
#include "toolchain/nasm_version.hpp"
#include "toolchain/program.hpp"

namespace nasm_build::toolchain {

namespace {

NasmCandidate rejected(std::string reason) {
    NasmCandidate candidate;
    candidate.reason = std::move(reason);
    return candidate;
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
    if (std::string reason = obstacle_to_running(path); !reason.empty()) {
        return rejected(std::move(reason));
    }
    ProgramAnswer answer = ask_program({path}, "-v", time_limit);
    if (!answer.reason.empty()) {
        return rejected(std::move(answer.reason));
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
