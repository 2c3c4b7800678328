// From a file to the bytes of its x86-64 image.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace macho_loader {

/// The whole file. Throws Error when it cannot be read.
std::vector<std::byte> read_file(const std::string& path);

/// The x86-64 image of a Mach-O file or of a fat one. Throws Error for every other file, saying what it is.
Bytes x86_64_slice(Bytes file);

}  // namespace macho_loader
