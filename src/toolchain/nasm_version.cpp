#include "toolchain/nasm_version.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cstddef>

namespace nasm_build::toolchain {

namespace {

bool take_number(std::string_view& text, unsigned& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

}  // namespace

std::optional<NasmVersion> parse_nasm_version(std::string_view text) {
    NasmVersion version;
    if (!take_number(text, version.major) || !take(text, ".") || !take_number(text, version.minor)) {
        return std::nullopt;
    }
    if (take(text, ".") && !take_number(text, version.patch)) {
        return std::nullopt;
    }
    if (take(text, "rc")) {
        version.is_release = false;
        if (!take_number(text, version.release_candidate)) {
            return std::nullopt;
        }
    }
    return version;
}

std::optional<std::string> nasm_version_text(std::string_view answer) {
    constexpr std::string_view announcement = "NASM version ";
    while (!answer.empty()) {
        const std::size_t end = answer.find('\n');
        std::string_view line = answer.substr(0, end);
        answer.remove_prefix(end == std::string_view::npos ? answer.size() : end + 1);
        if (take(line, announcement)) {
            return std::string(line.substr(0, line.find_first_of(" \t\r")));
        }
    }
    return std::nullopt;
}

std::string nasm_version_warning(const NasmVersion& version) {
    // netwide-assembler/nasm#185: `vmovddup xmm16, [rax+64]` gets another address.
    if (version.major == 3 && version.minor < 2) {
        return fmt::format(
            "NASM {}.{:02} writes wrong displacements into some AVX-512 instructions (nasm#185): use 3.02 or "
            "later, or 2.16.03",
            version.major, version.minor);
    }
    return {};
}

}  // namespace nasm_build::toolchain
