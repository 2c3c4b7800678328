#include "toolchain/macho_layout.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace nasm_build::toolchain {

namespace {

constexpr std::uint64_t magic_64 = 0xFEEDFACF;
constexpr std::uint64_t cpu_x86_64 = 0x01000007;
constexpr std::uint64_t type_object = 1;
constexpr std::uint64_t header_size = 32;

constexpr std::uint64_t command_symbols = 0x02;  // LC_SYMTAB
constexpr std::uint64_t command_groups = 0x0B;  // LC_DYSYMTAB
constexpr std::uint64_t command_segment = 0x19;  // LC_SEGMENT_64
constexpr std::uint64_t segment_size = 72;  // its sections follow
constexpr std::uint64_t section_size = 80;
constexpr std::uint64_t relocation_size = 8;
constexpr std::uint64_t attributes_of_code = 0x80000400;  // pure instructions, some instructions

// Reads the commands one after the other into `layout`; `parts` is what they say to lie where.
struct Reader {
    explicit Reader(std::span<const std::byte> object) : bytes(object) {}

    ObjectBytes bytes;
    MachoLayout layout;
    std::vector<Range> relocation_tables;  // one a section
    std::vector<Range> parts;

    void take_part(Range range) {
        static_cast<void>(bytes.part(range.offset, range.size));
        if (range.size != 0) {
            parts.push_back(range);
        }
    }
    void read_header();
    void read_command(std::uint64_t command, std::uint64_t size);
    void read_segment(std::uint64_t command, std::uint64_t size);
    void read_section(std::uint64_t header);
    void read_tables(std::uint64_t command);
    void read_groups(std::uint64_t command);
    void read_symbols(std::span<const std::byte> object);
    void read_relocations(std::size_t section);
    [[nodiscard]] MachoRelocation relocation_at(std::uint64_t place, std::size_t section) const;
    void require_disjoint();
};

void Reader::read_header() {
    if (bytes.number(0, 4) != magic_64 || bytes.number(4, 4) != cpu_x86_64 || bytes.number(12, 4) != type_object) {
        throw not_a_macho_object();
    }
    constexpr std::uint64_t subsections_via_symbols = 0x2000;  // MH_SUBSECTIONS_VIA_SYMBOLS
    layout.is_parted_at_symbols = (bytes.number(24, 4) & subsections_via_symbols) != 0;
    const std::uint64_t count = bytes.number(16, 4);
    const std::uint64_t end = header_size + bytes.number(20, 4);
    take_part({.offset = 0, .size = end});
    std::uint64_t command = header_size;
    for (std::uint64_t index = 0; index < count; ++index) {
        const std::uint64_t size = bytes.number(command + 4, 4);
        if (size < 8 || size > end - command) {
            throw not_a_macho_object();
        }
        read_command(command, size);
        command += size;
    }
}

void Reader::read_command(std::uint64_t command, std::uint64_t size) {
    switch (bytes.number(command, 4)) {
        case command_segment:
            read_segment(command, size);
            break;
        case command_symbols:
            if (size < 24 || layout.symbols_command) {
                throw not_a_macho_object();
            }
            read_tables(command);
            break;
        case command_groups:
            if (size < 80 || layout.groups_command) {
                throw not_a_macho_object();
            }
            read_groups(command);
            break;
        default:
            break;
    }
}

// An object has all its sections in one segment without a name.
void Reader::read_segment(std::uint64_t command, std::uint64_t size) {
    const std::uint64_t count = size < segment_size ? 0 : bytes.number(command + 64, 4);
    if (size < segment_size || count > (size - segment_size) / section_size || count > 255 ||
        !layout.sections.empty()) {
        throw not_a_macho_object();
    }
    for (std::uint64_t index = 0; index < count; ++index) {
        read_section(command + segment_size + index * section_size);
    }
}

// The text of a field of 16 bytes, without the zeros that fill it.
std::string fixed_text(const ObjectBytes& bytes, std::uint64_t offset) {
    std::string text;
    for (const std::byte letter : bytes.part(offset, 16)) {
        if (letter == std::byte{0}) {
            break;
        }
        text += static_cast<char>(std::to_integer<unsigned char>(letter));
    }
    return text;
}

void Reader::read_section(std::uint64_t header) {
    constexpr auto without_contents = std::to_array<std::uint64_t>({0x01, 0x0C, 0x12});  // the kinds of S_ZEROFILL
    const std::uint64_t flags = bytes.number(header + 64, 4);
    const bool is_filled =
        std::find(without_contents.begin(), without_contents.end(), flags & 0xFFU) == without_contents.end();
    MachoSection section{.segment = fixed_text(bytes, header + 16),
                         .name = fixed_text(bytes, header),
                         .address = bytes.number(header + 32, 8),
                         .contents = {}};
    if (is_filled) {
        section.contents = {.offset = bytes.number(header + 48, 4), .size = bytes.number(header + 40, 8)};
    }
    section.is_code = (flags & attributes_of_code) != 0;
    section.is_compact_unwind = section.name == "__compact_unwind" && section.segment == "__LD";
    if (section.contents.size != 0) {
        take_part(section.contents);
    }
    layout.sections.push_back(std::move(section));
    relocation_tables.push_back(
        {.offset = bytes.number(header + 56, 4), .size = bytes.number(header + 60, 4) * relocation_size});
    if (relocation_tables.back().size != 0) {
        take_part(relocation_tables.back());
    }
}

void Reader::read_tables(std::uint64_t command) {
    layout.symbols_command = command;
    layout.symbol_table = {.offset = bytes.number(command + 8, 4),
                           .size = bytes.number(command + 12, 4) * macho_symbol_size};
    layout.strings = {.offset = bytes.number(command + 16, 4), .size = bytes.number(command + 20, 4)};
    take_part(layout.symbol_table);
    take_part(layout.strings);
}

void Reader::read_groups(std::uint64_t command) {
    layout.groups_command = command;
    // Counts of what only linked files have: contents, modules, references, and relocations outside of the sections.
    constexpr auto counts = std::to_array<std::uint64_t>({36, 44, 52, 68, 76});
    if (std::any_of(counts.begin(), counts.end(),
                    [&](std::uint64_t offset) { return bytes.number(command + offset, 4) != 0; })) {
        throw not_a_macho_object();
    }
    layout.indirect_symbols = {.offset = bytes.number(command + 56, 4), .size = bytes.number(command + 60, 4) * 4};
    if (layout.indirect_symbols.size != 0) {
        take_part(layout.indirect_symbols);
    }
}

void Reader::read_symbols(std::span<const std::byte> object) {
    const auto strings = object.subspan(layout.strings.offset, layout.strings.size);
    const std::string_view texts(reinterpret_cast<const char*>(strings.data()), strings.size());
    layout.symbols.reserve(layout.symbol_table.size / macho_symbol_size);
    for (std::uint64_t place = layout.symbol_table.offset; place < layout.symbol_table.end();
         place += macho_symbol_size) {
        const std::uint64_t name = bytes.number(place, 4);
        const std::size_t end = texts.find('\0', name);
        if (name >= texts.size() || end == std::string_view::npos) {
            throw not_a_macho_object();
        }
        const MachoSymbol symbol{.name = texts.substr(name, end - name),
                                 .value = bytes.number(place + 8, 8),
                                 .type = static_cast<std::uint8_t>(bytes.number(place + 4, 1)),
                                 .section = static_cast<std::uint8_t>(bytes.number(place + 5, 1)),
                                 .details = static_cast<std::uint16_t>(bytes.number(place + 6, 2))};
        if (symbol.is_in_section() && (symbol.section == 0 || symbol.section > layout.sections.size())) {
            throw not_a_macho_object();
        }
        layout.symbols.push_back(symbol);
    }
}

MachoRelocation Reader::relocation_at(std::uint64_t place, std::size_t section) const {
    const std::uint64_t word = bytes.number(place + 4, 4);
    return {.place = place,
            .section = section,
            .offset = bytes.number(place, 4),
            .target = static_cast<std::uint32_t>(word & 0xFFFFFFU),
            .width = static_cast<std::uint8_t>(1U << (word >> 25U & 3U)),
            .is_relative = (word >> 24U & 1U) != 0,
            .names_symbol = (word >> 27U & 1U) != 0,
            .type = static_cast<MachoRelocationType>(word >> 28U)};
}

// The highest bit of an offset would make it a scattered relocation, which x86-64 has none of: no section is so large.
void Reader::read_relocations(std::size_t section) {
    const Range table = relocation_tables[section];
    const Range contents = layout.sections[section].contents;
    for (std::uint64_t place = table.offset; place < table.end(); place += relocation_size) {
        const MachoRelocation relocation = relocation_at(place, section);
        const std::size_t targets = relocation.names_symbol ? layout.symbols.size() : layout.sections.size() + 1;
        if (relocation.target >= targets || relocation.type > MachoRelocationType::thread_local_variable ||
            relocation.offset > contents.size || relocation.width > contents.size - relocation.offset) {
            throw not_a_macho_object();
        }
        layout.relocations.push_back(relocation);
    }
}

void Reader::require_disjoint() {
    std::sort(parts.begin(), parts.end(),
              [](const Range& one, const Range& other) { return one.offset < other.offset; });
    const auto overlap = std::adjacent_find(
        parts.begin(), parts.end(), [](const Range& one, const Range& next) { return next.offset < one.end(); });
    if (overlap != parts.end()) {
        throw not_a_macho_object();
    }
}

}  // namespace

Error not_a_macho_object() {
    return Error("is no whole Mach-O object for x86-64", "build it again");
}

std::span<const std::byte> ObjectBytes::part(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
        throw not_a_macho_object();
    }
    return std::span(bytes_).subspan(offset, size);
}

std::uint64_t ObjectBytes::number(std::uint64_t offset, std::uint64_t size) const {
    const auto bytes = part(offset, size);
    std::uint64_t number = 0;
    for (std::size_t index = bytes.size(); index > 0; --index) {
        number = number << 8U | std::to_integer<std::uint64_t>(bytes[index - 1]);
    }
    return number;
}

void ObjectBytes::set_number(std::uint64_t offset, std::uint64_t size, std::uint64_t value) {
    static_cast<void>(part(offset, size));
    for (std::uint64_t index = 0; index < size; ++index) {
        bytes_[offset + index] = static_cast<std::byte>(value >> (8U * index) & 0xFFU);
    }
}

MachoLayout read_macho_layout(std::span<const std::byte> object) {
    Reader reader(object);
    reader.read_header();
    reader.require_disjoint();
    reader.read_symbols(object);
    for (std::size_t section = 0; section < reader.layout.sections.size(); ++section) {
        reader.read_relocations(section);
    }
    return std::move(reader.layout);
}

}  // namespace nasm_build::toolchain
