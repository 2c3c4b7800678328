// The lowest platform tags that every binary of a wheel allows, and why none is lower.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "inspect/tags/needs.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::inspect {

struct PlatformTags {
    /// One or several, the newer name first (`manylinux_2_17_x86_64`, `manylinux2014_x86_64`); `any` for a wheel without a binary.
    /// Empty where the binaries have no tag together: `why` says it.
    std::vector<std::string> tags;
    /// The wheel's tag is `linux_…`: it is for the machine that it was built on.
    bool is_local = false;
    /// Why the tags are these: what asks for the newest thing, or what keeps the wheel on its machine.
    std::vector<std::string> why;
};

/// `c_library` is the build's own, for a binary that could be loaded with either and says neither.
[[nodiscard]] PlatformTags lowest_platform_tags(std::span<const BinaryNeeds> binaries,
                                                toolchain::CLibrary c_library = toolchain::CLibrary::gnu);

}  // namespace nasm_build::inspect
