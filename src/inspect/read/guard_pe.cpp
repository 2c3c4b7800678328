// The guard of PE: headers and sections.
#include "inspect/read/guard_pe.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nasm_build::inspect::pe {

namespace {

constexpr std::uint64_t section_limit = 96;  // the loader's own limit

bool is_power_of_two(std::uint32_t value) noexcept {
    return value != 0 && (value & (value - 1)) == 0;
}

Machine machine_of(std::uint16_t number) {
    switch (number) {
        case 0x014C:
            return Machine::x86;
        case 0x8664:
            return Machine::x86_64;
        case 0x01C4:
            return Machine::arm;
        case 0xAA64:
            return Machine::arm64;
        case 0xA641:
        case 0xA64E:
            throw Error(
                fmt::format("the file says machine number 0x{:x}, which objects of {} have and no linked file does",
                            number, number == 0xA641 ? "ARM64X" : "ARM64EC"));
        default:
            throw Error(fmt::format("the file is a PE file for machine number 0x{:x}, which is not read", number));
    }
}

void load_directories(ByteView file, Layout& layout, std::uint64_t optional_header, std::uint64_t optional_size) {
    const std::uint64_t count_at = optional_header + (layout.is_64 ? 108 : 92);
    const auto count = file.load<std::uint32_t>(count_at);
    if (count != directory_count || optional_size < count_at + 4 - optional_header + directory_count * 8) {
        fail_damaged(fmt::format("its header has {} data directories, not {}", count, directory_count));
    }
    for (std::size_t i = 0; i < directory_count; ++i) {
        const std::uint64_t at = count_at + 4 + i * 8;
        layout.directories.at(i) = {at, file.load<std::uint32_t>(at), file.load<std::uint32_t>(at + 4)};
    }
}

void load_optional_header(ByteView file, Layout& layout, std::uint64_t at, std::uint64_t size) {
    require_range(file, at, size, "the optional header");
    const auto magic = file.load<std::uint16_t>(at);
    if (magic != 0x10B && magic != 0x20B) {
        fail_damaged(fmt::format("its optional header has the unknown kind 0x{:x}", magic));
    }
    layout.is_64 = magic == 0x20B;
    const bool machine_is_64 = layout.machine == Machine::x86_64 || layout.machine == Machine::arm64;
    if (layout.is_64 != machine_is_64) {
        fail_damaged(fmt::format("its optional header is not one for {}", name_of(layout.machine)));
    }
    const auto section_alignment = file.load<std::uint32_t>(at + 32);
    const auto file_alignment = file.load<std::uint32_t>(at + 36);
    if (!is_power_of_two(section_alignment) || !is_power_of_two(file_alignment) || file_alignment > section_alignment) {
        fail_damaged(fmt::format("its alignments are {} and {}", section_alignment, file_alignment));
    }
    layout.image_base = layout.is_64 ? file.load<std::uint64_t>(at + 24) : file.load<std::uint32_t>(at + 28);
    layout.dll_characteristics = file.load<std::uint16_t>(at + 70);
    layout.image_size = file.load<std::uint32_t>(at + 56);
    layout.headers_size = file.load<std::uint32_t>(at + 60);
    require_range(file, 0, layout.headers_size, "the headers");
    load_directories(file, layout, at, size);
}

SectionHeader load_section(ByteView file, std::uint64_t at) {
    SectionHeader section;
    section.header_offset = at;
    section.name = file.fixed_text(at, 8);
    section.memory_size = file.load<std::uint32_t>(at + 8);
    section.address = file.load<std::uint32_t>(at + 12);
    section.file_size = file.load<std::uint32_t>(at + 16);
    section.offset = file.load<std::uint32_t>(at + 20);
    section.characteristics = file.load<std::uint32_t>(at + 36);
    return section;
}

void check_section(ByteView file, const Layout& layout, const SectionHeader& section, std::uint64_t section_alignment,
                   std::uint64_t file_alignment, std::uint64_t end_of_last) {
    const std::string name = printable(section.name);
    if (section.file_size != 0) {
        require_range(file, section.offset, section.file_size, fmt::format("section {}", name));
        if (section.offset % file_alignment != 0) {
            fail_damaged(fmt::format("section {} does not lie at a multiple of {} bytes", name, file_alignment));
        }
    }
    const std::uint64_t size = section.memory_size != 0 ? section.memory_size : section.file_size;
    if (section.address % section_alignment != 0 || section.address < end_of_last ||
        section.address + size > layout.image_size) {
        fail_damaged(fmt::format("section {} does not lie where the image has room for it", name));
    }
}

/// LIEF copies every section's bytes and the gap up to the next one's, so these may not lie over each other, nor out of order.
void check_file_ranges(const Layout& layout) {
    std::uint64_t end = layout.headers_size;
    for (const SectionHeader& section : layout.sections) {
        if (section.file_size == 0) {
            continue;
        }
        if (section.offset < end) {
            fail_damaged(fmt::format("section {} lies over other bytes of the file", printable(section.name)));
        }
        end = std::uint64_t{section.offset} + section.file_size;
    }
}

void load_sections(ByteView file, Layout& layout, std::uint64_t table, std::uint64_t count,
                   std::uint64_t optional_header) {
    require_count(count, section_limit, "sections");
    require_range(file, table, count * 40, "the table of sections");
    const auto section_alignment = file.load<std::uint32_t>(optional_header + 32);
    const auto file_alignment = file.load<std::uint32_t>(optional_header + 36);
    std::uint64_t end_of_last = 0;
    layout.end_of_sections = std::max<std::uint64_t>(layout.headers_size, table + count * 40);
    for (std::uint64_t i = 0; i < count; ++i) {
        const SectionHeader section = load_section(file, table + i * 40);
        check_section(file, layout, section, section_alignment, file_alignment, end_of_last);
        const std::uint64_t memory = section.memory_size != 0 ? section.memory_size : section.file_size;
        end_of_last = std::uint64_t{section.address} + memory;
        if (section.file_size != 0) {
            layout.end_of_sections =
                std::max(layout.end_of_sections, std::uint64_t{section.offset} + section.file_size);
        }
        layout.sections.push_back(section);
    }
    check_file_ranges(layout);
}

}  // namespace

std::uint64_t offset_of(ByteView file, const Layout& layout, std::uint64_t address, std::uint64_t length,
                        std::string_view what) {
    for (const SectionHeader& section : layout.sections) {
        if (address >= section.address &&
            address - section.address < (section.memory_size != 0 ? section.memory_size : section.file_size)) {
            const std::uint64_t into = address - section.address;
            if (into > section.file_size || length > section.file_size - into) {
                break;
            }
            return section.offset + into;
        }
    }
    if (address < layout.headers_size && length <= layout.headers_size - address && file.holds(address, length)) {
        return address;
    }
    fail_damaged(fmt::format("{} does not lie in a section", what));
}

std::string_view text_at(ByteView file, const Layout& layout, std::uint64_t address, std::string_view what) {
    const std::uint64_t at = offset_of(file, layout, address, 1, what);
    std::uint64_t end = layout.headers_size;
    for (const SectionHeader& section : layout.sections) {
        if (at >= section.offset && at - section.offset < section.file_size) {
            end = std::uint64_t{section.offset} + section.file_size;
        }
    }
    const auto text = file.part(at, end - at).text(0);
    if (!text) {
        fail_damaged(fmt::format("{} has no end", what));
    }
    return *text;
}

Layout check(ByteView file) {
    Layout layout;
    require_range(file, 0, 64, "the DOS header");
    const std::uint64_t signature = file.load<std::uint32_t>(60);
    require_range(file, signature, 24, "the PE header");
    if (signature < 64 || file.load<std::uint32_t>(signature) != 0x00004550) {
        throw Error("the file is a DOS program or damaged: it has no PE header");
    }
    layout.file_header = signature + 4;
    layout.machine = machine_of(file.load<std::uint16_t>(layout.file_header));
    const auto sections = file.load<std::uint16_t>(layout.file_header + 2);
    const auto optional_size = file.load<std::uint16_t>(layout.file_header + 16);
    layout.characteristics = file.load<std::uint16_t>(layout.file_header + 18);
    const std::uint64_t optional_header = layout.file_header + 20;
    load_optional_header(file, layout, optional_header, optional_size);
    load_sections(file, layout, optional_header + optional_size, sections, optional_header);
    check_directories(file, layout);
    return layout;
}

}  // namespace nasm_build::inspect::pe
