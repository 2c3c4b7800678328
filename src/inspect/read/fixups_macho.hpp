// What dyld patches in a Mach-O file: rebases and binds, as opcodes (LC_DYLD_INFO) or as chained fixups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/contents.hpp"
#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

/// A symbol that is bound when the image is loaded.
struct Bound {
    std::string name;  ///< as the file has it: with the leading underscore
    std::int64_t library = 0;  ///< the library's ordinal from 1; 0 itself, -1 the program, -2 flat, -3 weak look-up
    bool weak = false;
    std::string_view stored;  ///< the name in the file's bytes
};

struct Fixups {
    std::vector<Bound> bound;
    std::vector<TextRelocation> text_relocations;
};

/// Decodes them all; at most `limit` text relocations. What they write goes to the gatherer. Throws Error when they are damaged.
[[nodiscard]] Fixups fixups(ByteView slice, const Layout& layout, std::size_t limit, ContentsGatherer& gatherer);

// The parts of `fixups`, a file each.
void read_opcodes(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found,
                  ContentsGatherer& gatherer);  // opcodes_macho.cpp
void read_chained_fixups(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found,
                         ContentsGatherer& gatherer);  // fixups_macho.cpp

/// Follows the chains of one segment's pages, whose starts lie in `data` at `at`; gives up on forms that are not read.
void gather_chains(ByteView slice, const Layout& layout, ByteView data, std::uint64_t at, const Segment& segment,
                   const Fixups& found, ContentsGatherer& gatherer);  // chains_macho.cpp

/// The word of the file at an address, or nothing where the file has no bytes for it.
[[nodiscard]] std::optional<std::uint64_t> stored_word(ByteView slice, const Segment& segment,
                                                       std::uint64_t into);  // chains_macho.cpp

}  // namespace nasm_build::inspect::macho
