// The GNU property note (Linux Extensions to the gABI, "Program Property"): what the code as a whole needs and keeps to.
#include <fmt/format.h>

#include "inspect/read/load_facts_elf.hpp"

namespace nasm_build::inspect::elf {

namespace {

constexpr std::uint32_t note_of_properties = 5;  // NT_GNU_PROPERTY_TYPE_0
constexpr std::uint32_t arm64_feature_1_and = 0xC0000000, x86_feature_1_and = 0xC0000002, x86_isa_1_needed = 0xC0008002;
constexpr std::uint32_t x86_ibt = 1, x86_shstk = 2, arm64_bti = 1, arm64_pac = 2;

void take_property(GnuProperties& properties, Machine machine, std::uint32_t type, std::uint32_t value) {
    if (machine == Machine::x86_64 || machine == Machine::x86) {
        if (type == x86_feature_1_and) {
            properties.x86_branch_tracking = (value & x86_ibt) != 0;
            properties.x86_shadow_stack = (value & x86_shstk) != 0;
        } else if (type == x86_isa_1_needed) {
            properties.x86_isa_needed = value;
        }
    } else if (machine == Machine::arm64 && type == arm64_feature_1_and) {
        properties.arm64_branch_targets = (value & arm64_bti) != 0;
        properties.arm64_pointer_authentication = (value & arm64_pac) != 0;
    }
}

GnuProperties decode(ByteView description, const Layout& layout) {
    GnuProperties properties;
    const std::uint64_t step = layout.word();
    for (std::uint64_t at = 0; description.size() - at >= 8;) {
        const auto type = description.load<std::uint32_t>(at);
        const std::uint64_t size = description.load<std::uint32_t>(at + 4);
        if (!description.holds(at + 8, size)) {
            fail_damaged(fmt::format("its property 0x{:x} reaches past the end of its note", type));
        }
        if (size == 4) {  // what is read here has this size, and glibc passes over any other
            take_property(properties, layout.machine, type, description.load<std::uint32_t>(at + 8));
        }
        at += 8 + (size + step - 1) / step * step;
        if (at > description.size()) {
            break;
        }
    }
    return properties;
}

/// The description of the first property note in a segment of notes, or nothing.
std::optional<ByteView> find_note(ByteView notes, std::uint64_t step) {
    const auto padded = [step](std::uint64_t size) { return (size + step - 1) / step * step; };
    for (std::uint64_t at = 0; notes.holds(at, 16);) {
        const std::uint64_t name = notes.load<std::uint32_t>(at);
        const std::uint64_t size = notes.load<std::uint32_t>(at + 4);
        const std::uint64_t description = padded(at + 12 + name);
        if (!notes.holds(description, size)) {
            fail_damaged("a note reaches past the end of its segment");
        }
        if (notes.load<std::uint32_t>(at + 8) == note_of_properties && name == 4 &&
            notes.fixed_text(at + 12, 4) == "GNU") {
            return notes.part(description, size);
        }
        at = padded(description + size);
    }
    return std::nullopt;
}

}  // namespace

GnuProperties gnu_properties(ByteView file, const Layout& layout) {
    // glibc passes over notes of another alignment: older linkers wrote notes with properties that nobody merged.
    for (const std::uint32_t type : {pt_gnu_property, pt_note}) {
        for (const Segment& segment : layout.segments) {
            if (segment.type != type || segment.file_size == 0 || segment.alignment != layout.word()) {
                continue;
            }
            if (const auto found = find_note(file.part(segment.offset, segment.file_size), layout.word())) {
                return decode(*found, layout);
            }
        }
    }
    return {};
}

}  // namespace nasm_build::inspect::elf
