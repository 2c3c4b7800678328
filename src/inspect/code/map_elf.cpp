// The code of an ELF file: sections or segments, both tables of symbols, unwind tables, and addresses in data.
#include <array>
#include <utility>
#include <vector>

#include "inspect/code/code_map.hpp"
#include "inspect/code/eh_frame.hpp"
#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::code {

namespace {

using elf::Layout;
using elf::SectionHeader;

constexpr unsigned stt_notype = 0, stt_func = 2, stt_gnu_ifunc = 10;

std::string_view name_of(ByteView file, const Layout& layout, const SectionHeader& section) {
    const std::uint64_t header = layout.section_headers;
    const auto index = file.load<std::uint16_t>(layout.is_64 ? 62 : 50);
    if (header == 0 || index >= layout.sections.size()) {
        return {};
    }
    const SectionHeader& names = layout.sections[index];
    return file.part(names.offset, names.size).text(section.name).value_or(std::string_view());
}

void add_sections(ByteView file, const Layout& layout, CodeMap& map) {
    for (const SectionHeader& section : layout.sections) {
        constexpr std::uint64_t code = elf::shf_alloc | elf::shf_execinstr;
        if ((section.flags & code) != code || section.type == elf::sht_nobits || section.type == elf::sht_null) {
            continue;
        }
        const std::string_view name = name_of(file, layout, section);
        map.sections.push_back({std::string(name), section.address, file.part(section.offset, section.size),
                                name.starts_with(".plt") || name == ".iplt"});
    }
    if (!map.sections.empty()) {
        return;
    }
    for (const elf::Segment& segment : layout.segments) {
        if (segment.type == elf::pt_load && (segment.flags & elf::pf_x) != 0) {
            map.sections.push_back({"", segment.address, file.part(segment.offset, segment.file_size), false});
        }
    }
}

void add_symbols(ByteView file, const Layout& layout, std::uint64_t offset, std::uint64_t count, ByteView names,
                 CodeMap& map) {
    const ByteView table = file.part(offset, count * layout.symbol_size());
    for (std::uint64_t at = 0; at < table.size(); at += layout.symbol_size()) {
        const unsigned type = table.load<std::uint8_t>(at + 4) & 0xFU;
        const auto section = table.load<std::uint16_t>(at + 6);
        if (section == 0 || (type != stt_notype && type != stt_func && type != stt_gnu_ifunc)) {
            continue;
        }
        const std::string_view name = names.text(table.load<std::uint32_t>(at)).value_or(std::string_view());
        Start start;
        start.address = table.load<std::uint64_t>(at + 8);
        start.size = table.load<std::uint64_t>(at + 16);
        start.name = name;
        start.origin = type != stt_notype ? Origin::function : is_inner_label(name) ? Origin::pointer : Origin::label;
        start.is_part = type != stt_notype && name.find(".cold") != std::string_view::npos;
        map.has_indirect_functions = map.has_indirect_functions || type == stt_gnu_ifunc;
        if (!name.empty()) {
            map.starts.push_back(start);
        }
    }
}

void add_static_symbols(ByteView file, const Layout& layout, CodeMap& map) {
    for (const SectionHeader& section : layout.sections) {
        if (section.type == elf::sht_symtab && section.link < layout.sections.size()) {
            const SectionHeader& strings = layout.sections[section.link];
            add_symbols(file, layout, section.offset, section.size / layout.symbol_size(),
                        file.part(strings.offset, strings.size), map);
        }
    }
}

void add_unwind_tables(ByteView file, const Layout& layout, Frames frames, CodeMap& map) {
    std::vector<FrameEntry> entries;
    for (const SectionHeader& section : layout.sections) {
        if (section.type != elf::sht_nobits && name_of(file, layout, section) == ".eh_frame") {
            entries = read_eh_frame(file.part(section.offset, section.size), section.address);
        }
    }
    for (const FrameEntry& entry : entries) {
        // A part that another function jumps to starts where the frame is that function's.
        const bool is_part = !starts_as_called(entry);
        map.starts.push_back({entry.begin, entry.end - entry.begin, Origin::function, is_part, {}});
    }
    if (frames == Frames::all) {
        map.frames = std::move(entries);
    }
}

// Tables of methods, and of whatever else holds addresses, are filled by relative relocations.
void add_pointers(ByteView file, const Layout& layout, CodeMap& map) {
    constexpr std::uint32_t r_x86_64_relative = 8;
    for (const elf::RelocationTable& table : layout.relocations) {
        if (!table.with_addend) {
            continue;  // x86-64 has none
        }
        const ByteView entries = file.part(table.offset, table.count * 24);
        for (std::uint64_t at = 0; at < entries.size(); at += 24) {
            if (entries.load<std::uint32_t>(at + 8) == r_x86_64_relative) {
                const auto address = entries.load<std::uint64_t>(at + 16);
                if (map.section_at(address) != nullptr) {
                    map.starts.push_back({address, 0, Origin::pointer, false, {}});
                }
            }
        }
    }
}

}  // namespace

void map_elf(ByteView file, Frames frames, CodeMap& map) {
    const Layout layout = elf::check(file);
    if (!layout.is_64) {
        return;
    }
    add_sections(file, layout, map);
    order_sections(file, map);
    add_symbols(file, layout, layout.symbols_offset, layout.symbol_count, layout.dynamic_strings, map);
    add_static_symbols(file, layout, map);
    add_unwind_tables(file, layout, frames, map);
    add_pointers(file, layout, map);
}

}  // namespace nasm_build::inspect::code
