#include "inspect/code/code_map.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "inspect/read/guard.hpp"

namespace nasm_build::inspect::code {

namespace {

void order_starts(CodeMap& map) {
    // Such a part has the address of whatever function comes next, which is none the less a function.
    const auto is_empty_part = [](const Start& start) {
        return start.is_part && start.size == 0 && start.name.ends_with(".cold");
    };
    std::copy_if(map.starts.begin(), map.starts.end(), std::back_inserter(map.empty_parts), is_empty_part);
    std::erase_if(map.starts, is_empty_part);
    std::erase_if(map.starts, [&map](const Start& start) {
        const CodeSection* const section = map.section_at(start.address);
        return section == nullptr || section->is_of_linker;
    });
    std::sort(map.starts.begin(), map.starts.end(), [](const Start& one, const Start& other) {
        return std::tie(one.address, one.origin) < std::tie(other.address, other.origin);
    });
    std::vector<Start> kept;
    for (const Start& start : map.starts) {
        if (kept.empty() || kept.back().address != start.address) {
            kept.push_back(start);
            continue;
        }
        Start& first = kept.back();
        if (first.origin == Origin::label && first.name.empty() && !start.name.empty()) {
            first.origin = start.origin;  // Mach-O's table of starts has the labels within functions as well
        }
        first.size = std::max(first.size, first.origin == start.origin ? start.size : 0);
        first.is_part = first.is_part || start.is_part;
        if (first.name.empty()) {
            first.name = start.name;
        }
    }
    map.starts = std::move(kept);
}

}  // namespace

void order_sections(ByteView file, CodeMap& map) {
    std::sort(map.sections.begin(), map.sections.end(),
              [](const CodeSection& one, const CodeSection& other) { return one.address < other.address; });
    std::vector<CodeSection> kept;
    std::uint64_t total = 0;
    for (CodeSection& section : map.sections) {
        const bool overlaps = !kept.empty() && kept.back().contains(section.address);
        if (section.bytes.size() == 0 || overlaps || section.bytes.size() > file.size() - total) {
            continue;  // a file may name its bytes many times over; they are code once
        }
        total += section.bytes.size();
        kept.push_back(std::move(section));
    }
    map.sections = std::move(kept);
}

std::uint64_t CodeMap::code_size() const noexcept {
    std::uint64_t size = 0;
    for (const CodeSection& section : sections) {
        size += section.bytes.size();
    }
    return size;
}

const CodeSection* CodeMap::section_at(std::uint64_t address) const noexcept {
    const auto after =
        std::upper_bound(sections.begin(), sections.end(), address,
                         [](std::uint64_t where, const CodeSection& section) { return where < section.address; });
    if (after == sections.begin() || !std::prev(after)->contains(address)) {
        return nullptr;
    }
    return &*std::prev(after);
}

const FrameEntry* CodeMap::frame_at(std::uint64_t address) const noexcept {
    const auto after =
        std::upper_bound(frames.begin(), frames.end(), address,
                         [](std::uint64_t where, const FrameEntry& entry) { return where < entry.begin; });
    return after != frames.begin() && address < std::prev(after)->end ? &*std::prev(after) : nullptr;
}

bool is_inner_label(std::string_view name) noexcept {
    return name.find('.', 1) != std::string_view::npos || name.starts_with('.');
}

CodeMap code_map(ByteView file, const Image& image, Frames frames) {
    CodeMap map;
    switch (image.format) {
        case Format::elf:
            map_elf(file, frames, map);
            break;
        case Format::pe:
            map_pe(file, image, frames, map);
            break;
        case Format::macho:
            map_macho(file, frames, map);
            break;
    }
    std::stable_sort(map.frames.begin(), map.frames.end(),
                     [](const FrameEntry& one, const FrameEntry& other) { return one.begin < other.begin; });
    order_starts(map);
    return map;
}

}  // namespace nasm_build::inspect::code
