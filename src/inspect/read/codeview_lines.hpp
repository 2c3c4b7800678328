// The lines of `.debug$S`, CodeView's debug data for COFF objects: which source line made the bytes at a place.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/byte_view.hpp"
#include "inspect/read/line_table.hpp"

namespace nasm_build::inspect {

/// A `.debug$S`; an object of a compiler has one for each function that a linker may leave out.
struct CodeviewSection {
    ByteView bytes;
    std::vector<LineRelocation> relocations;  ///< those of places relative to a section (SECREL), sorted by place
};

struct CodeviewLines {
    std::vector<LineTable::Range> ranges;  ///< by section and place
    std::vector<std::string> files;  ///< for `Range::file`
};

/// Reads what can be read: a block of lines that contradicts itself has none.
[[nodiscard]] CodeviewLines codeview_lines(std::span<const CodeviewSection> sections);

}  // namespace nasm_build::inspect
