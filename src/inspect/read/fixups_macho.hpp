// What dyld patches in a Mach-O file: rebases and binds, as opcodes (LC_DYLD_INFO) or as chained fixups.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

/// A symbol that is bound when the image is loaded.
struct Bound {
    std::string name;  ///< as the file has it: with the leading underscore
    std::int64_t library = 0;  ///< the library's ordinal from 1; 0 itself, -1 the program, -2 flat, -3 weak look-up
    bool weak = false;
};

struct Fixups {
    std::vector<Bound> bound;
    std::vector<TextRelocation> text_relocations;
};

/// Decodes them all; at most `limit` text relocations. Throws Error when they are damaged.
[[nodiscard]] Fixups fixups(ByteView slice, const Layout& layout, std::size_t limit);

// The parts of `fixups`, a file each.
void read_opcodes(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found);  // opcodes_macho.cpp
void read_chained_fixups(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found);  // fixups_macho.cpp

}  // namespace nasm_build::inspect::macho
