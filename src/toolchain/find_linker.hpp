// The search for a linker that writes modules of another platform: LLVM's lld, or the one that PyPI's ziglang carries.
//
// The same rules as for NASM: what is named must be usable, otherwise the first good candidate is taken, and each one
// that was passed over is told with its reason.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "toolchain/target.hpp"

namespace nasm_build::toolchain {

/// How a linker is spoken to.
enum class LinkerKind : std::uint8_t {
    lld_link,  ///< Microsoft's words
    ld64,  ///< Apple's words
    zig_cc  ///< a compiler driver's words: zig has no door to a linker for Mach-O but this
};

/// Who named a candidate, in the order in which they are asked.
enum class LinkerOrigin : std::uint8_t { setting, variable, search_path, usual_place, ziglang };

struct RejectedLinker {
    std::string path;
    LinkerOrigin origin = LinkerOrigin::search_path;
    std::string reason;
};

struct FoundLinker {
    std::vector<std::string> words;  ///< what to type before the link's own words: a path, or zig and its command
    LinkerKind kind = LinkerKind::lld_link;
    std::string version;  ///< of LLVM's linker, `14.0.6`; of zig where it links by itself
    LinkerOrigin origin = LinkerOrigin::search_path;
};

/// Where to look. All text is UTF-8.
struct LinkerPlaces {
    std::optional<std::string> setting;  ///< the build's setting: a path, or a name to look for in PATH
    std::optional<std::string> variable;  ///< the environment's NASM_BUILD_LINKER: the same
    std::vector<std::string> search_path;
    std::vector<std::string> usual_places;
    std::optional<std::string> zig;  ///< the program of an installed ziglang
    std::chrono::milliseconds time_limit{5000};
};

struct LinkerSearch {
    std::optional<FoundLinker> linker;
    std::vector<RejectedLinker> rejected;
    std::string error;
    std::string fix;
};

/// The places of this machine.
[[nodiscard]] LinkerPlaces linker_places(const std::optional<std::string>& setting,
                                         const std::optional<std::string>& zig);

/// The linker for a target of PE or Mach-O. Throws Error for a target of another format, whose modules the compiler
/// driver of its own platform links.
[[nodiscard]] LinkerSearch find_linker(const Target& target, const LinkerPlaces& places);

/// `setting`, `NASM_BUILD_LINKER`, `PATH`, `usual place`, `ziglang`.
[[nodiscard]] const char* name_of(LinkerOrigin origin) noexcept;
/// `lld-link`, `ld64`, `zig-cc`.
[[nodiscard]] const char* name_of(LinkerKind kind) noexcept;

}  // namespace nasm_build::toolchain
