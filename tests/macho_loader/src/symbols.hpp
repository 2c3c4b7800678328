// Where the symbols are that an image wants.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fixups.hpp"
#include "image.hpp"

namespace macho_loader {

/// The address in this process of each reference; 0 for a weak import that is missing, none where the image's own
/// definition is to stay. Throws Error with the names of all others that are missing.
std::vector<std::optional<std::uint64_t>> resolve(const Image& image, std::uint64_t slide, const Fixups& fixups);

}  // namespace macho_loader
