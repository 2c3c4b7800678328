// Unwind data for the C++ runtime, through which exceptions and backtraces pass: `__TEXT,__eh_frame` as it is, and
// what has been made of `__TEXT,__unwind_info`.
//
// libgcc's __register_frame takes the records one after another up to a length of zero. Mach-O sections have no such
// end mark, but the rest of a segment's last page is zero; a section without room for one is refused, because the
// unwinder would take what follows for records.
#include <algorithm>
#include <cstdint>
#include <string>

#include "format.hpp"
#include "mapping.hpp"

extern "C" void __register_frame(void* records);  // NOLINT: the name is libgcc's

namespace macho_loader {

namespace {

constexpr std::uint32_t EXTENDED_LENGTH = 0xffffffff;

const Section* frames_of(const Image& image) {
    const auto found = std::find_if(image.sections.begin(), image.sections.end(), [](const Section& section) {
        return section.segment == "__TEXT" && section.name == "__eh_frame" && section.size != 0;
    });
    return found == image.sections.end() ? nullptr : &*found;
}

std::uint32_t number_at(const Image& image, std::uint64_t address) {
    return static_cast<std::uint32_t>(image.stored(address));
}

/// Walks over the records as the unwinder does.
void check(const Image& image, const Section& section) {
    constexpr std::uint64_t LENGTH = sizeof(std::uint32_t);
    const std::uint64_t end = section.address + section.size;
    std::uint64_t at = section.address;
    while (at < end) {
        const std::uint32_t size = end - at < LENGTH ? EXTENDED_LENGTH : number_at(image, at);
        if (size == 0) {
            return;
        }
        if (size == EXTENDED_LENGTH || size < LENGTH || size > end - at - LENGTH) {
            throw Error("a record of __TEXT,__eh_frame leads out of the section");
        }
        // 0 marks a CIE; every other number is the way back to one.
        const std::uint32_t back = number_at(image, at + LENGTH);
        if (back > at + LENGTH - section.address) {
            throw Error("a record of __TEXT,__eh_frame belongs to none of the section");
        }
        at += LENGTH + size;
    }
    // stored() takes what lies behind all segments for zero, so the place itself is asked for first.
    if (image.segment_of(end, 2 * LENGTH) == nullptr || number_at(image, end) != 0) {
        throw Error("__TEXT,__eh_frame has no end mark and no zero bytes behind it; add a record of length 0");
    }
}

}  // namespace

void check_frames(const Image& image) {
    if (const Section* section = frames_of(image)) {
        check(image, *section);
    }
}

void register_frames(const Image& image, std::uint64_t slide, std::vector<std::byte>& records) {
    if (!records.empty()) {
        __register_frame(records.data());
    }
    if (const Section* section = frames_of(image)) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr,cppcoreguidelines-pro-type-reinterpret-cast): an address
        __register_frame(reinterpret_cast<void*>(section->address + slide));
    }
}

}  // namespace macho_loader
