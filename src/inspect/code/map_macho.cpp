// The code of a Mach-O slice: sections that hold instructions, the table of function starts, and the symbols.
#include <algorithm>

#include "inspect/code/code_map.hpp"
#include "inspect/code/unwind_macho.hpp"
#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::code {

namespace {

using macho::Layout;

void add_sections(ByteView slice, const Layout& layout, Frames frames, CodeMap& map) {
    constexpr std::uint32_t symbol_stubs = 8;  // <mach-o/loader.h>, S_SYMBOL_STUBS
    for (const macho::Segment& segment : layout.segments) {
        for (std::uint64_t index = 0; index < segment.section_count; ++index) {
            const std::uint64_t header = segment.first_section + index * layout.section_size();
            const auto flags = slice.load<std::uint32_t>(header + 64);
            const std::string_view name = slice.fixed_text(header, 16);
            if (frames == Frames::all && name == "__unwind_info") {
                const ByteView table =
                    slice.part(slice.load<std::uint32_t>(header + 48), slice.load<std::uint64_t>(header + 40));
                read_compact_unwind(table, layout.base(), map.frames);
            }
            if ((flags & macho::s_attr_instructions) == 0) {
                continue;
            }
            const bool is_of_linker = (flags & macho::section_type_mask) == symbol_stubs || name == "__stub_helper";
            map.sections.push_back(
                {std::string(name), slice.load<std::uint64_t>(header + 32),
                 slice.part(slice.load<std::uint32_t>(header + 48), slice.load<std::uint64_t>(header + 40)),
                 is_of_linker});
        }
    }
}

// Linkers make the table of the symbols in code, so a table that stands among them is in it too.
void add_function_starts(ByteView slice, const Layout& layout, CodeMap& map) {
    for (const macho::Command& command : layout.commands) {
        if (command.type != macho::lc_function_starts) {
            continue;
        }
        Cursor cursor(
            slice.part(slice.load<std::uint32_t>(command.offset + 8), slice.load<std::uint32_t>(command.offset + 12)));
        std::uint64_t address = layout.base();
        while (!cursor.at_end()) {
            const std::uint64_t step = cursor.read_uleb();
            if (step == 0 || cursor.failed()) {
                break;
            }
            address += step;
            map.starts.push_back({address, 0, Origin::label, false, {}});
        }
    }
}

void add_symbols(ByteView slice, const Layout& layout, CodeMap& map) {
    constexpr std::uint8_t in_a_section = 0x0E;
    const ByteView strings = slice.part(layout.strings.offset, layout.strings.size);
    const ByteView table = slice.part(layout.symbols.offset, layout.symbols.size * layout.symbol_size());
    for (std::uint64_t at = 0; at < table.size(); at += layout.symbol_size()) {
        const auto type = table.load<std::uint8_t>(at + 4);
        if ((type & macho::n_stab) != 0 || (type & macho::n_type) != in_a_section) {
            continue;
        }
        std::string_view name = strings.text(table.load<std::uint32_t>(at)).value_or(std::string_view());
        name.remove_prefix(name.starts_with('_') ? 1 : 0);
        const auto address = table.load<std::uint64_t>(at + 8);
        if (!name.empty()) {
            map.starts.push_back({address, 0, is_inner_label(name) ? Origin::pointer : Origin::label, false, name});
        }
    }
}

}  // namespace

void map_macho(ByteView slice, Frames frames, CodeMap& map) {
    const Layout layout = macho::check(slice);
    if (!layout.is_64) {
        return;
    }
    add_sections(slice, layout, frames, map);
    order_sections(slice, map);
    add_function_starts(slice, layout, map);
    add_symbols(slice, layout, map);
}

}  // namespace nasm_build::inspect::code
