// `.debug_line` of a relocatable object, DWARF versions 2 to 5: which source line made the bytes at a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_view.hpp"

namespace nasm_build::inspect {

/// A relocation of `.debug_line`: what the linker would write there, as a section of the object and an offset in it.
struct LineRelocation {
    std::uint64_t place = 0;  ///< offset in `.debug_line`
    std::uint32_t section = 0;
    std::uint64_t value = 0;
};

/// A section of code of an object.
struct CodeExtent {
    std::uint32_t section = 0;
    std::uint64_t size = 0;
};

struct LineSections {
    ByteView line;  ///< `.debug_line`
    ByteView line_string;  ///< `.debug_line_str`, of version 5
    ByteView string;  ///< `.debug_str`
    std::vector<LineRelocation> relocations;  ///< sorted by place
    /// NASM relocates no address in a Mach-O object (2.15 to 3.01): each sequence counts from 0 and ends with its section. Where just
    /// one of these has the size of such a sequence, it is that section's; where none are given, such sequences have no lines.
    std::vector<CodeExtent> unrelocated;

    [[nodiscard]] const LineRelocation* relocation_at(std::uint64_t place) const;
};

struct SourcePlace {
    std::string file;  ///< as the table names it, with its folder unless that is the one the assembler ran in
    unsigned line = 0;
};

/// Reads what can be read: damage ends a unit's lines, never the reading.
class LineTable {
public:
    explicit LineTable(const LineSections& sections);

    [[nodiscard]] std::optional<SourcePlace> find(std::uint32_t section, std::uint64_t offset) const;

    /// Bytes of a section that one line made.
    struct Range {
        std::uint32_t section = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint32_t file = 0;  ///< for `file_name`
        std::uint32_t line = 0;
    };
    /// By section and place; none lies over another.
    [[nodiscard]] const std::vector<Range>& ranges() const noexcept { return ranges_; }
    [[nodiscard]] const std::string& file_name(const Range& range) const { return files_.at(range.file); }
    [[nodiscard]] const std::vector<std::string>& files() const noexcept { return files_; }

private:
    friend class LineUnit;

    std::vector<Range> ranges_;
    std::vector<std::string> files_;
    std::size_t names_size_ = 0;  ///< bytes of them all
};

}  // namespace nasm_build::inspect
