// The parts of one platform tag: `manylinux_2_17_x86_64`, `musllinux_1_2_aarch64`, `macosx_11_0_arm64`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::inspect {

enum class PlatformKind : std::uint8_t { any, linux_local, manylinux, musllinux, macos, windows, other };

struct PlatformTag {
    PlatformKind kind = PlatformKind::other;
    unsigned major = 0;
    unsigned minor = 0;  ///< manylinux2014 is 2.17
    std::string machine;  ///< empty where the tag has none
};

/// Reads a tag; `other` for one of a system that is not named above, and for one that is not of its system's form.
[[nodiscard]] PlatformTag parse_platform_tag(std::string_view tag);

/// Whether an installer on any machine makes that tag. A machine's word with something behind it (`x86_64_v3`) is one that no
/// system has; words of machines that are not known here are believed.
[[nodiscard]] bool is_known_to_installers(std::string_view tag);

}  // namespace nasm_build::inspect
