// What the loader makes of a PE file's memory: its sections, with an address wherever a base relocation is.
#include <algorithm>
#include <optional>

#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::pe {

namespace {

/// The word at an image-relative address, or nothing where the file has no bytes for it.
std::optional<std::uint64_t> stored_word(ByteView file, const Layout& layout, std::uint64_t address) {
    for (const SectionHeader& section : layout.sections) {
        const std::uint64_t into = address - section.address;
        if (address >= section.address && into < section.file_size && section.file_size - into >= 8) {
            return file.load<std::uint64_t>(section.offset + into);
        }
    }
    return std::nullopt;
}

/// The blocks were checked: each lies in the table and has a size that leads forward.
void gather_relocations(ByteView file, const Layout& layout, ContentsGatherer& gatherer) {
    constexpr unsigned image_rel_based_dir64 = 10;
    const Range& range = layout.directories[relocation_directory];
    const std::uint64_t at = offset_of(file, layout, range.address, range.size, "the table of base relocations");
    for (std::uint64_t into = 0; range.size - into >= 8;) {
        const std::uint64_t page = file.load<std::uint32_t>(at + into);
        const std::uint64_t size = file.load<std::uint32_t>(at + into + 4);
        if (size < 8 || size > range.size - into) {
            return;
        }
        for (std::uint64_t entry = into + 8; entry < into + size && gatherer.wanted(); entry += 2) {
            const unsigned bits = file.load<std::uint16_t>(at + entry);
            const std::uint64_t place = page + (bits & 0xFFFU);
            const auto word = (bits >> 12U) == image_rel_based_dir64 ? stored_word(file, layout, place) : std::nullopt;
            if (word) {
                gatherer.add_address(place, *word - layout.image_base);
            }
        }
        into += size;
    }
}

}  // namespace

void gather_contents(ByteView file, const Layout& layout, ContentsGatherer& gatherer) {
    for (const SectionHeader& section : layout.sections) {
        // Bytes beyond a section's size in memory are padding of the file.
        const std::uint64_t size =
            section.memory_size == 0 ? section.file_size : std::min(section.file_size, section.memory_size);
        gatherer.add_piece(section.address, size == 0 ? ByteView{} : file.part(section.offset, size));
    }
    if (layout.directories[relocation_directory].address != 0 && layout.directories[relocation_directory].size != 0) {
        gather_relocations(file, layout, gatherer);
    }
}

}  // namespace nasm_build::inspect::pe
