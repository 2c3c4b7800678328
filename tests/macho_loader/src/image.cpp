// Reading the load commands. All ranges are checked here, once, so that what follows can rely on them.
#include "image.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::uint64_t PAGE = 4096;
constexpr std::uint64_t LARGEST_IMAGE = std::uint64_t{1} << 30U;

bool is_in(std::uint64_t address, std::uint64_t size, std::uint64_t start, std::uint64_t length) {
    return address >= start && size <= length && address - start <= length - size;
}

void refuse_section(const Section& section) {
    const std::string place = "the section " + section.segment + "," + section.name;
    if (section.type >= format::S_THREAD_LOCAL_REGULAR &&
        section.type <= format::S_THREAD_LOCAL_INIT_FUNCTION_POINTERS) {
        throw Error(place + " holds thread-local variables, which this loader cannot provide");
    }
    if (section.name.starts_with("__objc_")) {
        throw Error(place + " is for Objective-C, which this loader does not have");
    }
    if (section.type == format::S_MOD_TERM_FUNC_POINTERS || section.type == format::S_INTERPOSING) {
        throw Error(place + " is of type " + std::to_string(section.type) + ", which this loader does not know");
    }
}

Section read_section(Bytes entry, const Segment& segment) {
    Section section{
        .segment = entry.field(16, 16),
        .name = entry.field(0, 16),
        .address = entry.read<std::uint64_t>(32),
        .size = entry.read<std::uint64_t>(40),
        .type = entry.read<std::uint32_t>(64) & format::SECTION_TYPE,
    };
    if (!is_in(section.address, section.size, segment.address, segment.size)) {
        throw Error("the section " + section.segment + "," + section.name + " does not lie in its segment");
    }
    refuse_section(section);
    return section;
}

void read_segment(Bytes slice, Bytes command, Image& image) {
    const Bytes head = command.part(0, format::SEGMENT_COMMAND_SIZE, "a segment's load command");
    const auto file_size = head.read<std::uint64_t>(48);
    Segment segment{
        .name = head.field(8, 16),
        .address = head.read<std::uint64_t>(24),
        .size = head.read<std::uint64_t>(32),
        .file_offset = head.read<std::uint64_t>(40),
        .protection = head.read<std::uint32_t>(60),
    };
    const std::string place = "the segment " + segment.name;
    if (file_size > segment.size) {
        throw Error(place + " has more bytes in the file than in memory");
    }
    if (segment.address % PAGE != 0) {
        throw Error(place + " does not begin at a page");
    }
    if (segment.size > LARGEST_IMAGE || segment.address > std::numeric_limits<std::uint64_t>::max() / 2) {
        throw Error(place + " is larger than an extension module could be");
    }
    try {
        segment.content = slice.part(segment.file_offset, file_size, "its content");
    } catch (const Error& error) {
        throw Error(place + ": " + error.what());
    }
    segment.read_only_once_fixed =
        (head.read<std::uint32_t>(68) & format::SG_READ_ONLY) != 0 || segment.name == "__DATA_CONST";
    const auto count = head.read<std::uint32_t>(64);
    for (std::uint64_t i = 0; i < count; ++i) {
        image.sections.push_back(read_section(command.part(format::SEGMENT_COMMAND_SIZE + i * format::SECTION_SIZE,
                                                           format::SECTION_SIZE, "a section's entry"),
                                              segment));
    }
    if (segment.size != 0) {
        image.highest = std::max(image.highest, segment.address + segment.size);
    }
    image.segments.push_back(std::move(segment));
}

void read_symbol_table(Bytes slice, Bytes command, Image& image) {
    image.symbols = slice.part(command.read<std::uint32_t>(8),
                               std::uint64_t{command.read<std::uint32_t>(12)} * format::NLIST_SIZE, "the symbol table");
    image.symbol_names =
        slice.part(command.read<std::uint32_t>(16), command.read<std::uint32_t>(20), "the symbols' names");
}

void read_dyld_info(Bytes slice, Bytes command, Image& image) {
    const auto part = [&](std::uint64_t offset, std::string_view name) {
        return slice.part(command.read<std::uint32_t>(offset), command.read<std::uint32_t>(offset + 4), name);
    };
    image.rebases = part(8, "the rebase opcodes");
    image.binds = part(16, "the bind opcodes");
    image.weak_binds = part(24, "the weak bind opcodes");
    image.lazy_binds = part(32, "the lazy bind opcodes");
    image.export_trie = part(40, "the export trie");
}

/// The form before LC_DYLD_INFO. A file that has it is not to be run with its pointers as they are.
void refuse_relocations(Bytes command) {
    if (command.read<std::uint32_t>(68) != 0 || command.read<std::uint32_t>(76) != 0) {
        throw Error("it has relocations of the form before macOS 10.6, which this loader does not know");
    }
}

void read_command(Bytes slice, Bytes command, Image& image) {
    const auto kind = command.read<std::uint32_t>(0);
    const auto linked = [&](std::string_view name) {
        return slice.part(command.read<std::uint32_t>(8), command.read<std::uint32_t>(12), name);
    };
    switch (kind) {
        case format::LC_SEGMENT_64:
            return read_segment(slice, command, image);
        case format::LC_SYMTAB:
            return read_symbol_table(slice, command, image);
        case format::LC_DYSYMTAB:
            return refuse_relocations(command);
        case format::LC_DYLD_INFO:
        case format::LC_DYLD_INFO_ONLY:
            return read_dyld_info(slice, command, image);
        case format::LC_DYLD_EXPORTS_TRIE:
            image.export_trie = linked("the export trie");
            return;
        case format::LC_DYLD_CHAINED_FIXUPS:
            image.chained_fixups = linked("the chained fixups");
            return;
        case format::LC_LOAD_DYLIB:
        case format::LC_LOAD_WEAK_DYLIB:
        case format::LC_REEXPORT_DYLIB:
        case format::LC_LOAD_UPWARD_DYLIB:
            image.libraries.emplace_back(command.text(command.read<std::uint32_t>(8)));
            return;
        case format::LC_ROUTINES_64:
            throw Error("it has an initialiser of the kind LC_ROUTINES_64, which this loader does not run");
        case format::LC_ENCRYPTION_INFO_64:
            if (command.read<std::uint32_t>(16) != 0) {
                throw Error("it is encrypted");
            }
            return;
        case format::LC_RPATH:
            return;
        default:
            if ((kind & format::LC_REQ_DYLD) != 0) {
                throw Error("the load command " + std::to_string(kind & ~format::LC_REQ_DYLD) +
                            " must be understood, and this loader does not know it");
            }
    }
}

void check_segments(Image& image) {
    std::vector<const Segment*> ordered;
    for (const Segment& segment : image.segments) {
        if (segment.size != 0) {
            ordered.push_back(&segment);
        }
        if (segment.file_offset == 0 && segment.content.size() >= format::MACH_HEADER_SIZE) {
            image.header = segment.address;
            image.lowest = segment.address;
        }
    }
    if (std::none_of(ordered.begin(), ordered.end(),
                     [](const Segment* one) { return one->file_offset == 0 && !one->content.empty(); })) {
        throw Error("no segment holds the Mach-O header");
    }
    std::sort(ordered.begin(), ordered.end(), [](auto* one, auto* other) { return one->address < other->address; });
    image.lowest = ordered.front()->address;
    if (image.highest - image.lowest > LARGEST_IMAGE) {
        throw Error("its segments span more memory than an extension module could need");
    }
    for (std::size_t i = 1; i < ordered.size(); ++i) {
        const Segment& previous = *ordered[i - 1];
        const std::uint64_t end = (previous.address + previous.size + PAGE - 1) / PAGE * PAGE;
        if (ordered[i]->address < end) {
            throw Error("the segments " + previous.name + " and " + ordered[i]->name + " overlap");
        }
    }
}

}  // namespace

const Segment* Image::segment_of(std::uint64_t address, std::uint64_t size) const {
    const auto found = std::find_if(segments.begin(), segments.end(), [&](const Segment& segment) {
        return is_in(address, size, segment.address, segment.size);
    });
    return found == segments.end() ? nullptr : &*found;
}

std::uint64_t Image::stored(std::uint64_t address) const {
    std::array<std::byte, sizeof(std::uint64_t)> bytes{};
    if (const Segment* segment = segment_of(address, bytes.size())) {
        const auto content = segment->content.data();
        const std::uint64_t start = std::min<std::uint64_t>(address - segment->address, content.size());
        const auto part = content.subspan(start, std::min(bytes.size(), content.size() - start));
        std::copy(part.begin(), part.end(), bytes.begin());
    }
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

Image read_image(Bytes slice) {
    const auto file_type = slice.read<std::uint32_t>(12);
    if (file_type != format::MH_BUNDLE && file_type != format::MH_DYLIB) {
        throw Error("is neither a bundle nor a dynamic library, but a Mach-O file of type " +
                    std::to_string(file_type));
    }
    const auto count = slice.read<std::uint32_t>(16);
    const Bytes commands = slice.part(format::MACH_HEADER_SIZE, slice.read<std::uint32_t>(20), "the load commands");
    Image image;
    std::uint64_t offset = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const Bytes head = commands.part(offset, 8, "a load command");
        const auto size = head.read<std::uint32_t>(4);
        if (size < 8) {
            throw Error("a load command has a size of " + std::to_string(size) + " bytes");
        }
        read_command(slice, commands.part(offset, size, "a load command"), image);
        offset += size;
    }
    check_segments(image);
    return image;
}

}  // namespace macho_loader
