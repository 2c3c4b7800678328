// The raw pre-check of a ZIP archive: its directory and its entries' headers, before libzip sees a byte.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_view.hpp"

namespace nasm_build::inspect {

/// One entry as the directory states it. The name points into the archive.
struct ZipEntry {
    std::string_view name;
    std::uint64_t size = 0;  ///< bytes after decompression
    std::uint64_t packed_size = 0;
};

/// The entries of the archive's one directory, in its order. Throws Error for a file that is no ZIP archive, for a directory that
/// lies about its place or its count, for more than `most_entries` entries, for an entry whose own header says something else or
/// whose contents lie outside the file, and for two entries that share bytes: with those, a small archive unpacks into terabytes.
[[nodiscard]] std::vector<ZipEntry> guard_zip(ByteView file, std::uint64_t most_entries);

}  // namespace nasm_build::inspect
