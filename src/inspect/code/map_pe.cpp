// The code of a PE file: sections, the table of functions that unwinding needs, exports, and addresses in data.
#include <algorithm>

#include "inspect/code/code_map.hpp"
#include "inspect/code/unwind_pe.hpp"
#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::code {

namespace {

using pe::Layout;
using pe::SectionHeader;

void add_sections(ByteView file, const Layout& layout, CodeMap& map) {
    for (const SectionHeader& section : layout.sections) {
        if ((section.characteristics & pe::section_executable) != 0 && section.file_size != 0) {
            const std::uint64_t size =
                section.memory_size != 0 ? std::min(section.memory_size, section.file_size) : section.file_size;
            map.sections.push_back(
                {std::string(section.name), section.address, file.part(section.offset, size), false});
        }
    }
}

// The flag of an UNWIND_INFO by which it continues another one: that of a part, to which its function jumps.
bool is_chained(ByteView file, const Layout& layout, std::uint32_t unwind) {
    constexpr std::uint8_t chained = 4;
    if ((unwind & 1U) != 0) {
        return true;
    }
    const std::uint64_t at = pe::offset_of(file, layout, unwind, 1, "the unwind data of a function");
    return ((file.load<std::uint8_t>(at) >> 3U) & chained) != 0;
}

void add_functions(ByteView file, const Layout& layout, Frames frames, CodeMap& map) {
    const pe::Range& table = layout.directories.at(pe::exception_directory);
    if (table.address == 0 || table.size < 12) {
        return;
    }
    const std::uint64_t at = pe::offset_of(file, layout, table.address, table.size, "the table of functions");
    for (std::uint64_t entry = at; entry + 12 <= at + table.size; entry += 12) {
        const auto begin = file.load<std::uint32_t>(entry);
        const auto end = file.load<std::uint32_t>(entry + 4);
        if (begin == 0 || end <= begin) {
            continue;
        }
        if (frames == Frames::all) {
            map.frames.push_back(frame_of(file, layout, begin, end, file.load<std::uint32_t>(entry + 8)));
        }
        const bool is_part = is_chained(file, layout, file.load<std::uint32_t>(entry + 8));
        if (is_part && !map.starts.empty() && map.starts.back().address + map.starts.back().size == begin) {
            map.starts.back().size += end - begin;  // the same function, from where it saves more registers
        } else {
            map.starts.push_back({begin, std::uint64_t{end} - begin, Origin::function, is_part, {}});
        }
    }
}

// Addresses in data are those that base relocations move.
void add_pointers(ByteView file, const Layout& layout, CodeMap& map) {
    constexpr unsigned whole_address = 10;  // IMAGE_REL_BASED_DIR64
    const pe::Range& table = layout.directories.at(pe::relocation_directory);
    if (table.address == 0 || table.size == 0) {
        return;
    }
    const std::uint64_t base = file.load<std::uint64_t>(layout.file_header + 20 + 24);
    const std::uint64_t start = pe::offset_of(file, layout, table.address, table.size, "the base relocations");
    for (std::uint64_t block = start; block + 8 <= start + table.size;) {
        const auto page = file.load<std::uint32_t>(block);
        const auto size = file.load<std::uint32_t>(block + 4);
        if (size < 8 || size > start + table.size - block) {
            break;
        }
        for (std::uint64_t entry = block + 8; entry + 2 <= block + size; entry += 2) {
            const auto word = file.load<std::uint16_t>(entry);
            if (word >> 12U != whole_address) {
                continue;
            }
            const std::uint64_t at =
                pe::offset_of(file, layout, std::uint64_t{page} + (word & 0xFFFU), 8, "a relocated address");
            const std::uint64_t address = file.load<std::uint64_t>(at) - base;
            if (map.section_at(address) != nullptr) {
                map.starts.push_back({address, 0, Origin::pointer, false, {}});
            }
        }
        block += size;
    }
}

}  // namespace

void map_pe(ByteView file, const Image& image, Frames frames, CodeMap& map) {
    const Layout layout = pe::check(file);
    if (!layout.is_64) {
        return;
    }
    map.may_have_tables_in_functions = true;
    add_sections(file, layout, map);
    order_sections(file, map);
    add_functions(file, layout, frames, map);
    add_pointers(file, layout, map);
    for (const Export& each : image.exports) {
        map.starts.push_back({each.address, 0, Origin::label, false, each.name});
    }
}

}  // namespace nasm_build::inspect::code
