// What NASM says of itself: recognising `nasm -v`, reading and comparing its version.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace nasm_build::toolchain {

/// A version as NASM counts them: `2.16.01`, `2.16rc1`, `3.00`, and snapshots `2.17rc0-20240101`, `2.17-20240101`, which
/// count as what stands before the date.
struct NasmVersion {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;
    bool is_release = true;  ///< false for `rc`: ordered before the release
    unsigned release_candidate = 0;
    auto operator<=>(const NasmVersion&) const = default;
};

/// The oldest NASM that is used: `--reproducible` and `--before` work from it on.
inline constexpr NasmVersion oldest_nasm{2, 15, 5};
inline constexpr std::string_view oldest_nasm_text = "2.15.05";

/// Reads a version; nothing when the text does not begin with one.
[[nodiscard]] std::optional<NasmVersion> parse_nasm_version(std::string_view text);

/// The version's text in the answer to `nasm -v`: what follows `NASM version ` at the start of a line, up to the next
/// blank. Nothing when the answer is not NASM's.
[[nodiscard]] std::optional<std::string> nasm_version_text(std::string_view answer);

/// What a person must know who uses this version; empty for most.
[[nodiscard]] std::string nasm_version_warning(const NasmVersion& version);

}  // namespace nasm_build::toolchain
