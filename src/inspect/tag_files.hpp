// The platform tags of finished files: reads modules and wheels, and asks what all of their binaries allow.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "inspect/tags/tags.hpp"

namespace nasm_build::inspect {

struct TaggedFiles {
    std::vector<BinaryNeeds> binaries;
    PlatformTags platform;
};

/// The tags that every binary of every file allows, as if all were in one wheel. Throws Error, naming the file, for one that
/// cannot be read.
[[nodiscard]] TaggedFiles tag_files(std::span<const std::string> paths,
                                    toolchain::CLibrary c_library = toolchain::CLibrary::gnu);

}  // namespace nasm_build::inspect
