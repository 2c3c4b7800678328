#include "toolchain/flags.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace nasm_build::toolchain {

namespace {

// The macros by which C sources are told the version and the ABI, so that include files for NASM can look at the same
// ones. With a stable ABI the version is the oldest that is promised: what came later may not be there at import.
void add_abi(std::vector<std::string>& flags, const PythonBuild& build) {
    const std::string version = fmt::format("0x{:08X}", hexadecimal_version(build.version));
    flags.push_back("-DPY_VERSION_HEX=" + version);
    if (build.abi == Abi::version_specific) {
        if (build.free_threaded) {
            flags.emplace_back("-DPy_GIL_DISABLED=1");  // objects have another layout there
        }
        return;
    }
    flags.push_back("-DPy_LIMITED_API=" + version);
    if (build.abi == Abi::abi3t) {
        flags.push_back("-DPy_TARGET_ABI3T=" + version);  // PEP 803
    }
}

bool is_plain(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           std::string_view("-_./=+:,@%").find(letter) != std::string_view::npos;
}

std::string shell_quoted(const std::string& word) {
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
        return word;
    }
    std::string quoted = "'";
    for (const char letter : word) {
        if (letter == '\'') {
            quoted += "'\\''";
        } else {
            quoted += letter;
        }
    }
    return quoted + "'";
}

}  // namespace

std::vector<std::string> nasm_flags(const Target& target, const std::optional<PythonBuild>& build) {
    if (!target.assembles) {
        return {};
    }
    std::vector<std::string> flags{"-f", target.object_format, "-g", "-F", target.debug_format};
    // Without it NASM writes the time and its own name and version into objects.
    flags.emplace_back("--reproducible");
    // A statement before the source's first line: absolute addresses do not link into a shared library, and what NASM
    // takes for granted where the source says nothing differs by version.
    flags.insert(flags.end(), {"--before", "default rel"});
    if (!target.symbol_prefix.empty()) {
        flags.insert(flags.end(), {"--prefix", target.symbol_prefix});
    }
    for (const std::string& define : target.defines) {
        flags.push_back("-D" + define);
    }
    if (build) {
        add_abi(flags, *build);
    }
    return flags;
}

std::string shell_line(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) {
        line += (line.empty() ? "" : " ") + shell_quoted(word);
    }
    return line;
}

}  // namespace nasm_build::toolchain
