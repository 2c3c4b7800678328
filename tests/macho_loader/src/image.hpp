// What the load commands of a Mach-O image say, as plain facts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace macho_loader {

struct Segment {
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    Bytes content;  // what the file has of it; the rest is zero
    std::uint64_t file_offset = 0;
    std::uint32_t protection = 0;  // initprot
    bool read_only_once_fixed = false;
};

struct Section {
    std::string segment;
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint32_t type = 0;
};

/// Checked: every range lies in the file, segments do not overlap, and sections lie in their segment.
struct Image {
    std::vector<Segment> segments;  // in the order of the load commands, which fixups count by
    std::vector<Section> sections;
    std::vector<std::string> libraries;
    Bytes rebases;
    Bytes binds;
    Bytes weak_binds;
    Bytes lazy_binds;
    Bytes chained_fixups;
    Bytes export_trie;
    Bytes symbols;
    Bytes symbol_names;
    std::uint64_t lowest = 0;  // the address that the image begins at
    std::uint64_t highest = 0;  // and the one behind its end
    std::uint64_t header = 0;  // the address of the Mach-O header

    /// The segment that `size` bytes at `address` lie in, or null.
    [[nodiscard]] const Segment* segment_of(std::uint64_t address, std::uint64_t size) const;
    /// The eight bytes that the file has at an address inside a segment.
    [[nodiscard]] std::uint64_t stored(std::uint64_t address) const;
};

/// Throws Error for what is damaged, and for what this loader cannot do (thread-local variables, Objective-C).
Image read_image(Bytes slice);

}  // namespace macho_loader
