// The guard of ELF: file header, program headers, section headers, notes.
#include "inspect/read/guard_elf.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nasm_build::inspect::elf {

namespace {

// LIEF 0.12.3 reads at most this many sections, and looks at every pair of a section and a segment.
constexpr std::uint64_t section_limit = 10'000;
constexpr std::uint64_t segment_limit = 100;

struct KnownMachine {
    std::uint16_t number;
    Machine machine;
    bool is_64;
};

constexpr KnownMachine known_machines[] = {
    {3, Machine::x86, false},          {62, Machine::x86_64, true},  {40, Machine::arm, false},
    {183, Machine::arm64, true},       {21, Machine::ppc64le, true}, {243, Machine::riscv64, true},
    {258, Machine::loongarch64, true},
};

const char* big_endian_machine(std::uint16_t number) noexcept {
    switch (number) {
        case 2:
        case 43:
            return "SPARC";
        case 8:
            return "MIPS";
        case 20:
            return "PowerPC";
        case 21:
            return "ppc64";
        case 22:
            return "s390x";
        case 40:
            return "ARM";
        case 183:
            return "arm64";
        default:
            return nullptr;
    }
}

void check_machine(ByteView file, Layout& layout) {
    const auto order = file.load<std::uint8_t>(5);
    const auto number = file.load<std::uint16_t>(18, order == 2 ? std::endian::big : std::endian::little);
    if (order == 2) {
        const char* name = big_endian_machine(number);
        throw Error(
            name != nullptr
                ? fmt::format("the file is a big-endian ELF file for {}, which is not read", name)
                : fmt::format("the file is a big-endian ELF file for machine number {}, which is not read", number));
    }
    if (order != 1) {
        fail_damaged(fmt::format("its ELF header gives {} as the order of bytes", order));
    }
    const auto* known = std::find_if(std::begin(known_machines), std::end(known_machines),
                                     [number](const KnownMachine& row) { return row.number == number; });
    if (known == std::end(known_machines)) {
        throw Error(fmt::format("the file is an ELF file for machine number {}, which is not read", number));
    }
    if (known->is_64 != layout.is_64) {
        // x32 is the one such pair that exists; CPython has no port to it. LIEF takes the class from the machine.
        throw Error(fmt::format("the file is a {}-bit ELF file for {}, which is not read", layout.is_64 ? 64 : 32,
                                name_of(known->machine)));
    }
    layout.machine = known->machine;
}

Segment load_segment(ByteView file, const Layout& layout, std::uint64_t at) {
    Segment segment;
    segment.header_offset = at;
    segment.type = file.load<std::uint32_t>(at);
    if (layout.is_64) {
        segment.flags = file.load<std::uint32_t>(at + 4);
        segment.offset = file.load<std::uint64_t>(at + 8);
        segment.address = file.load<std::uint64_t>(at + 16);
        segment.file_size = file.load<std::uint64_t>(at + 32);
        segment.memory_size = file.load<std::uint64_t>(at + 40);
        segment.alignment = file.load<std::uint64_t>(at + 48);
    } else {
        segment.offset = file.load<std::uint32_t>(at + 4);
        segment.address = file.load<std::uint32_t>(at + 8);
        segment.file_size = file.load<std::uint32_t>(at + 16);
        segment.memory_size = file.load<std::uint32_t>(at + 20);
        segment.flags = file.load<std::uint32_t>(at + 24);
        segment.alignment = file.load<std::uint32_t>(at + 28);
    }
    return segment;
}

SectionHeader load_section(ByteView file, const Layout& layout, std::uint64_t at) {
    SectionHeader section;
    section.header_offset = at;
    section.name = file.load<std::uint32_t>(at);
    section.type = file.load<std::uint32_t>(at + 4);
    if (layout.is_64) {
        section.flags = file.load<std::uint64_t>(at + 8);
        section.address = file.load<std::uint64_t>(at + 16);
        section.offset = file.load<std::uint64_t>(at + 24);
        section.size = file.load<std::uint64_t>(at + 32);
        section.link = file.load<std::uint32_t>(at + 40);
        section.info = file.load<std::uint32_t>(at + 44);
        section.alignment = file.load<std::uint64_t>(at + 48);
        section.entry_size = file.load<std::uint64_t>(at + 56);
    } else {
        section.flags = file.load<std::uint32_t>(at + 8);
        section.address = file.load<std::uint32_t>(at + 12);
        section.offset = file.load<std::uint32_t>(at + 16);
        section.size = file.load<std::uint32_t>(at + 20);
        section.link = file.load<std::uint32_t>(at + 24);
        section.info = file.load<std::uint32_t>(at + 28);
        section.alignment = file.load<std::uint32_t>(at + 32);
        section.entry_size = file.load<std::uint32_t>(at + 36);
    }
    return section;
}

void check_note(ByteView note, std::uint64_t alignment) {
    // gABI: namesz, descsz, type; name and description padded to 4 (to 8 in .note.gnu.property of 64-bit files).
    const std::uint64_t step = alignment == 8 ? 8 : 4;
    const auto padded = [step](std::uint64_t size) { return (size + step - 1) / step * step; };
    for (std::uint64_t at = 0; at + 12 <= note.size();) {
        const std::uint64_t name = note.load<std::uint32_t>(at);
        const std::uint64_t description = note.load<std::uint32_t>(at + 4);
        const std::uint64_t begin = step == 8 ? padded(12 + name) : 12 + padded(name);
        if (!note.holds(at, begin) || !note.holds(at + begin, description)) {
            fail_damaged("a note reaches past the end of its segment");
        }
        at += begin + padded(description);
    }
}

void check_segments(ByteView file, Layout& layout) {
    const std::uint64_t table = layout.is_64 ? file.load<std::uint64_t>(32) : file.load<std::uint32_t>(28);
    const auto entry = file.load<std::uint16_t>(layout.is_64 ? 54 : 42);
    const auto count = file.load<std::uint16_t>(layout.is_64 ? 56 : 44);
    if (count == 0) {
        if (layout.type != et_rel) {
            fail_damaged("it has no program headers");
        }
        return;
    }
    const std::uint64_t expected = layout.is_64 ? 56 : 32;
    if (entry != expected) {
        fail_damaged(fmt::format("its program headers have {} bytes each, not {}", entry, expected));
    }
    if (table == 0) {
        fail_damaged("its program headers are said to lie at byte 0");
    }
    require_count(count, segment_limit, "program headers");
    require_range(file, table, count * expected, "the table of program headers");
    std::uint64_t end_of_last = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Segment segment = load_segment(file, layout, table + i * expected);
        if (segment.file_size != 0) {
            require_range(file, segment.offset, segment.file_size, "a segment");
        } else if (segment.offset > file.size() && segment.type == pt_load) {
            fail_cut("a segment", segment.offset, 0, file.size());
        }
        if (segment.memory_size > UINT64_MAX - segment.address) {
            fail_damaged("a segment wraps round the end of memory");
        }
        if (segment.type == pt_load) {
            if (segment.file_size > segment.memory_size) {
                fail_damaged("a segment has more bytes in the file than in memory");
            }
            // The gABI has PT_LOAD in ascending order, and the loader maps by the first and the last of them.
            if (segment.address < end_of_last) {
                fail_damaged("its segments lie over each other");
            }
            end_of_last = segment.address + segment.memory_size;
        } else if (segment.type == pt_note && segment.file_size != 0) {
            check_note(file.part(segment.offset, segment.file_size), segment.alignment);
        }
        layout.segments.push_back(segment);
    }
}

void check_section_names(ByteView file, const Layout& layout, std::uint16_t names) {
    if (names == 0 || names >= layout.sections.size() || layout.sections[names].type != sht_strtab) {
        fail_damaged("its table of section names is not a table of names");
    }
    const SectionHeader& section = layout.sections[names];
    const ByteView text = file.part(section.offset, section.size);
    NameBudget budget(name_budget(text.size()));
    for (const SectionHeader& each : layout.sections) {
        const auto name = text.text(each.name);
        if (!name) {
            fail_damaged("a section's name lies outside of the table of names");
        }
        budget.take(*name);
    }
}

void check_sections(ByteView file, Layout& layout) {
    const std::uint64_t table = layout.is_64 ? file.load<std::uint64_t>(40) : file.load<std::uint32_t>(32);
    const auto entry = file.load<std::uint16_t>(layout.is_64 ? 58 : 46);
    const auto count = file.load<std::uint16_t>(layout.is_64 ? 60 : 48);
    const auto names = file.load<std::uint16_t>(layout.is_64 ? 62 : 50);
    if (table == 0 && count == 0) {
        return;
    }
    const std::uint64_t expected = layout.is_64 ? 64 : 40;
    if (table == 0 || entry != expected || count == 0) {
        fail_damaged(
            fmt::format("its table of section headers has {} entries of {} bytes at byte {}", count, entry, table));
    }
    require_count(count, section_limit, "sections");
    require_range(file, table, count * expected, "the table of section headers");
    for (std::uint64_t i = 0; i < count; ++i) {
        const SectionHeader section = load_section(file, layout, table + i * expected);
        if (section.type != sht_null && section.type != sht_nobits) {
            require_range(file, section.offset, section.size, "a section");
        } else if (section.size > UINT64_MAX - section.offset || section.size > UINT64_MAX - section.address) {
            fail_damaged("a section wraps round the end of memory");
        }
        if (section.type == sht_note) {
            check_note(file.part(section.offset, section.size), section.alignment);
        }
        layout.sections.push_back(section);
    }
    layout.section_headers = table;
    check_section_names(file, layout, names);
}

// The bytes from a segment's start on that lie in memory as they lie in the file: those of the segments as well that begin where it
// ends, in both. patchelf lets the table of dynamic names of a program begin in a segment of its own and end in the next one.
std::uint64_t bytes_from(const Layout& layout, const Segment& first) noexcept {
    std::uint64_t size = first.file_size;
    const Segment* last = &first;
    for (const Segment& segment : layout.segments) {
        const bool follows = segment.type == pt_load && last->memory_size == last->file_size &&
                             segment.address == first.address + size && segment.offset == first.offset + size;
        if (follows && segment.file_size <= UINT64_MAX - size) {
            size += segment.file_size;
            last = &segment;
        }
    }
    return size;
}

}  // namespace

const DynamicEntry* Layout::find(std::uint64_t tag) const noexcept {
    const auto found =
        std::find_if(dynamic.begin(), dynamic.end(), [tag](const DynamicEntry& entry) { return entry.tag == tag; });
    return found == dynamic.end() ? nullptr : &*found;
}

std::uint64_t Layout::value(std::uint64_t tag) const noexcept {
    const DynamicEntry* entry = find(tag);
    return entry == nullptr ? 0 : entry->value;
}

std::uint64_t load_word(ByteView file, const Layout& layout, std::uint64_t offset) {
    return layout.is_64 ? file.load<std::uint64_t>(offset) : file.load<std::uint32_t>(offset);
}

std::uint64_t offset_of(const Layout& layout, std::uint64_t address, std::uint64_t length, std::string_view what) {
    for (const Segment& segment : layout.segments) {
        if (segment.type == pt_load && address >= segment.address && address - segment.address < segment.memory_size) {
            const std::uint64_t into = address - segment.address;
            if (into > segment.file_size || length > bytes_from(layout, segment) - into) {
                break;
            }
            return segment.offset + into;
        }
    }
    fail_damaged(fmt::format("{} does not lie in a loaded segment", what));
}

Layout check(ByteView file) {
    Layout layout;
    require_range(file, 0, 20, "the ELF header");
    const auto bits = file.load<std::uint8_t>(4);
    if (bits != 1 && bits != 2) {
        fail_damaged(fmt::format("its ELF header gives {} as the class, not 1 or 2", bits));
    }
    layout.is_64 = bits == 2;
    check_machine(file, layout);
    require_range(file, 0, layout.is_64 ? 64 : 52, "the ELF header");
    if (file.load<std::uint8_t>(6) != 1 || file.load<std::uint32_t>(20) != 1) {
        fail_damaged("its ELF header gives a version other than 1");
    }
    layout.type = file.load<std::uint16_t>(16);
    check_segments(file, layout);
    check_sections(file, layout);
    check_dynamic(file, layout);
    return layout;
}

}  // namespace nasm_build::inspect::elf
