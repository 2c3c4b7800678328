// Which of its own symbols an image offers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "image.hpp"

namespace macho_loader {

/// The address of an exported symbol, as the file counts. `name` has its leading underscore. Throws Error for damage.
std::optional<std::uint64_t> exported(const Image& image, std::string_view name);

}  // namespace macho_loader
