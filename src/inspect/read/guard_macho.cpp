// The guard of Mach-O: the header, the list of load commands, segments and sections.
#include "inspect/read/guard_macho.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nasm_build::inspect::macho {

namespace {

constexpr std::uint64_t command_limit = 2000;
constexpr std::uint64_t segment_limit = 100;
constexpr std::uint64_t section_limit = 255;  // a symbol names its section in one byte

void load_header(ByteView slice, Layout& layout) {
    require_range(slice, 0, 28, "the Mach-O header");
    const auto magic = slice.load<std::uint32_t>(0);
    if (swap_bytes(magic) == magic_32 || swap_bytes(magic) == magic_64) {
        throw Error("the file is a big-endian Mach-O file, which is not read");
    }
    layout.is_64 = magic == magic_64;
    require_range(slice, 0, layout.header_size(), "the Mach-O header");
    const auto cpu = slice.load<std::uint32_t>(4);
    switch (cpu) {
        case 7:
            layout.machine = Machine::x86;
            break;
        case 0x01000007:
            layout.machine = Machine::x86_64;
            break;
        case 12:
            layout.machine = Machine::arm;
            break;
        case 0x0100000C:
            layout.machine = Machine::arm64;
            break;
        default:
            throw Error(fmt::format("the file is a Mach-O file for {}, which is not read", name_of_cpu(cpu, 0)));
    }
    if (((cpu & 0x01000000U) != 0) != layout.is_64) {
        fail_damaged(fmt::format("its Mach-O header is not one for {}", name_of_cpu(cpu, 0)));
    }
    layout.file_type = slice.load<std::uint32_t>(12);
    layout.flags = slice.load<std::uint32_t>(24);
}

void load_commands(ByteView slice, Layout& layout) {
    const auto count = slice.load<std::uint32_t>(16);
    const auto size = slice.load<std::uint32_t>(20);
    require_count(count, command_limit, "load commands");
    require_range(slice, layout.header_size(), size, "the list of load commands");
    std::uint64_t at = layout.header_size();
    const std::uint64_t end = at + size;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (end - at < 8) {
            fail_damaged(fmt::format("load command {} of {} lies outside of the list", i + 1, count));
        }
        const Command command{at, slice.load<std::uint32_t>(at), slice.load<std::uint32_t>(at + 4)};
        if (command.size < 8 || command.size % 4 != 0 || command.size > end - at) {
            fail_damaged(fmt::format("load command {} of {} is said to have {} bytes", i + 1, count, command.size));
        }
        layout.commands.push_back(command);
        at += command.size;
    }
    if (at != end) {
        fail_damaged("its load commands do not fill the list that they are said to fill");
    }
}

void check_section(ByteView slice, const Segment& segment, std::uint64_t at, bool is_64, bool is_object) {
    const std::uint64_t address = is_64 ? slice.load<std::uint64_t>(at + 32) : slice.load<std::uint32_t>(at + 32);
    const std::uint64_t size = is_64 ? slice.load<std::uint64_t>(at + 40) : slice.load<std::uint32_t>(at + 36);
    const std::uint64_t fields = at + (is_64 ? 48 : 40);
    const auto type = slice.load<std::uint32_t>(fields + 16) & section_type_mask;
    const std::string name = printable(slice.fixed_text(at, 16));
    if (type != s_zerofill && type != s_gb_zerofill && type != s_thread_local_zerofill && size != 0) {
        require_range(slice, slice.load<std::uint32_t>(fields), size, "section " + name);
    }
    require_range(slice, slice.load<std::uint32_t>(fields + 8),
                  std::uint64_t{slice.load<std::uint32_t>(fields + 12)} * 8, "the relocations of section " + name);
    if (!is_object && (address < segment.address || size > segment.memory_size ||
                       address - segment.address > segment.memory_size - size)) {
        fail_damaged(fmt::format("section {} does not lie in its segment", name));
    }
}

void load_segment(ByteView slice, Layout& layout, const Command& command) {
    const bool is_64 = command.type == lc_segment_64;
    const std::uint64_t fixed = is_64 ? 72 : 56;
    if (is_64 != layout.is_64 || command.size < fixed) {
        fail_damaged("it has a segment of the wrong kind");
    }
    const std::uint64_t at = command.offset;
    Segment segment;
    segment.name = slice.fixed_text(at + 8, 16);
    if (is_64) {
        segment.address = slice.load<std::uint64_t>(at + 24);
        segment.memory_size = slice.load<std::uint64_t>(at + 32);
        segment.offset = slice.load<std::uint64_t>(at + 40);
        segment.file_size = slice.load<std::uint64_t>(at + 48);
        segment.protection = slice.load<std::uint32_t>(at + 60);
        segment.section_count = slice.load<std::uint32_t>(at + 64);
    } else {
        segment.address = slice.load<std::uint32_t>(at + 24);
        segment.memory_size = slice.load<std::uint32_t>(at + 28);
        segment.offset = slice.load<std::uint32_t>(at + 32);
        segment.file_size = slice.load<std::uint32_t>(at + 36);
        segment.protection = slice.load<std::uint32_t>(at + 44);
        segment.section_count = slice.load<std::uint32_t>(at + 48);
    }
    segment.first_section = at + fixed;
    const std::string name = printable(segment.name);
    if (segment.file_size != 0) {
        require_range(slice, segment.offset, segment.file_size, "segment " + name);
    }
    if (segment.memory_size > UINT64_MAX - segment.address || segment.file_size > segment.memory_size) {
        fail_damaged(fmt::format("segment {} has a size that cannot be", name));
    }
    layout.section_count += segment.section_count;
    require_count(layout.section_count, section_limit, "sections");
    if (segment.section_count * layout.section_size() != command.size - fixed) {
        fail_damaged(fmt::format("segment {} does not have as many sections as it states", name));
    }
    for (std::uint64_t i = 0; i < segment.section_count; ++i) {
        check_section(slice, segment, segment.first_section + i * layout.section_size(), is_64,
                      layout.file_type == mh_object);
    }
    layout.segments.push_back(segment);
    require_count(layout.segments.size(), segment_limit, "segments");
}

/// LIEF copies the bytes of every segment, so they may not lie over each other.
void check_overlap(const Layout& layout) {
    std::vector<Segment> ordered = layout.segments;
    std::sort(ordered.begin(), ordered.end(),
              [](const Segment& left, const Segment& right) { return left.offset < right.offset; });
    std::uint64_t end = 0;
    for (const Segment& segment : ordered) {
        if (segment.file_size == 0) {
            continue;
        }
        if (segment.offset < end) {
            fail_damaged(fmt::format("segment {} lies over another one", printable(segment.name)));
        }
        end = segment.offset + segment.file_size;
    }
}

}  // namespace

std::uint64_t Layout::base() const noexcept {
    const auto first = std::find_if(segments.begin(), segments.end(),
                                    [](const Segment& each) { return each.offset == 0 && each.file_size != 0; });
    return first == segments.end() ? 0 : first->address;
}

Layout check(ByteView slice) {
    Layout layout;
    load_header(slice, layout);
    load_commands(slice, layout);
    for (const Command& command : layout.commands) {
        if (command.type == lc_segment || command.type == lc_segment_64) {
            load_segment(slice, layout, command);
        } else {
            check_command(slice, layout, command);
        }
    }
    check_overlap(layout);
    check_symbols(slice, layout);
    return layout;
}

}  // namespace nasm_build::inspect::macho
