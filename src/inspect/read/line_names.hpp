// The folders and files that the header of a unit of `.debug_line` lists, in the two forms that DWARF has for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_view.hpp"
#include "inspect/read/line_table.hpp"

namespace nasm_build::inspect {

class LineNames {
public:
    /// `sections` must outlive this.
    explicit LineNames(const LineSections& sections) : sections_(sections) {}

    /// Reads both lists of a header of version 2 to 5; what cannot be read fails the cursor.
    void read(Cursor& cursor, std::uint16_t version, std::uint64_t offset_size);

    /// Adds one file in the form of versions 2 to 4; false at the end of a list.
    bool read_file(Cursor& cursor);

    [[nodiscard]] bool has(std::uint64_t file) const noexcept;

    /// A file that there is, with its folder unless that is the one the assembler ran in. `folders_before` is added to the number of its
    /// folder.
    [[nodiscard]] std::string path(std::uint64_t file, std::uint64_t folders_before) const;

private:
    struct FileName {
        std::string_view path;
        std::uint64_t directory = 0;
    };

    [[nodiscard]] std::uint64_t read_offset(Cursor& cursor) const;
    [[nodiscard]] std::string_view text_at(Cursor& cursor, ByteView strings) const;
    void read_old_lists(Cursor& cursor);
    [[nodiscard]] std::vector<FileName> read_entries(Cursor& cursor) const;
    void read_field(Cursor& cursor, std::uint64_t what, std::uint64_t form, FileName& entry) const;

    const LineSections& sections_;
    std::uint64_t offset_size_ = 4;
    std::vector<std::string_view> directories_;
    std::vector<FileName> files_;
};

}  // namespace nasm_build::inspect
