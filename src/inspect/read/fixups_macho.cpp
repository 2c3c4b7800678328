// Chained fixups (LC_DYLD_CHAINED_FIXUPS), which LIEF 0.12.3 does not decode.
#include "inspect/read/fixups_macho.hpp"

#include <fmt/format.h>

namespace nasm_build::inspect::macho {

namespace {

void read_import(ByteView data, std::uint64_t at, std::uint32_t format, ByteView names, NameBudget& budget,
                 Fixups& found) {
    // <mach-o/fixup-chains.h>: DYLD_CHAINED_IMPORT, _ADDEND, _ADDEND64
    Bound bound;
    std::uint64_t name = 0;
    if (format == 3) {
        const auto bits = data.load<std::uint64_t>(at);
        bound.library = static_cast<std::int16_t>(bits & 0xFFFFU);
        bound.weak = ((bits >> 16U) & 1U) != 0;
        name = bits >> 32U;
    } else {
        const auto bits = data.load<std::uint32_t>(at);
        // Ordinals over 0xF0 are the special ones, negative numbers of eight bits.
        const auto ordinal = static_cast<std::int64_t>(bits & 0xFFU);
        bound.library = ordinal > 0xF0 ? ordinal - 0x100 : ordinal;
        bound.weak = ((bits >> 8U) & 1U) != 0;
        name = bits >> 9U;
    }
    const auto text = names.text(name);
    if (!text) {
        fail_damaged("the name of a chained import lies outside of the table of names");
    }
    budget.take(*text);
    bound.name = *text;
    bound.stored = *text;
    found.bound.push_back(std::move(bound));
}

void read_imports(ByteView data, Fixups& found) {
    const std::uint64_t imports = data.load<std::uint32_t>(8);
    const std::uint64_t symbols = data.load<std::uint32_t>(12);
    const std::uint64_t count = data.load<std::uint32_t>(16);
    const auto format = data.load<std::uint32_t>(20);
    if (count == 0) {
        return;
    }
    if (data.load<std::uint32_t>(24) != 0) {
        throw Error("the file's chained fixups have compressed names, which are not read");
    }
    if (format < 1 || format > 3) {
        fail_damaged(fmt::format("its chained imports have the unknown format {}", format));
    }
    const std::uint64_t size = format == 1 ? 4 : format == 2 ? 8 : 16;
    require_range(data, imports, count * size, "the table of chained imports");
    require_range(data, symbols, 0, "the names of chained imports");
    const ByteView names = data.part(symbols, data.size() - symbols);
    NameBudget budget(name_budget(names.size()));
    for (std::uint64_t i = 0; i < count; ++i) {
        read_import(data, imports + i * size, format, names, budget, found);
    }
}

/// Where a segment's chains start: one place a page.
void read_starts(ByteView data, std::uint64_t at, const Segment& segment, std::size_t limit, Fixups& found) {
    constexpr std::uint16_t no_fixups = 0xFFFF;
    const std::uint64_t page_size = data.load<std::uint16_t>(at + 4);
    const std::uint64_t pages = data.load<std::uint16_t>(at + 20);
    require_range(data, at + 22, pages * 2, "the starts of chained fixups");
    if (page_size == 0 || (pages - (pages != 0 ? 1 : 0)) * page_size > segment.memory_size) {
        fail_damaged(fmt::format("the chained fixups of segment {} have {} pages", printable(segment.name), pages));
    }
    if ((segment.protection & prot_write) != 0) {
        return;
    }
    for (std::uint64_t page = 0; page < pages && found.text_relocations.size() < limit; ++page) {
        const auto start = data.load<std::uint16_t>(at + 22 + page * 2);
        if (start != no_fixups) {
            found.text_relocations.push_back({segment.address + page * page_size + start, ""});
        }
    }
}

}  // namespace

void read_chained_fixups(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found,
                         ContentsGatherer& gatherer) {
    if (layout.chained_fixups.size == 0) {
        return;
    }
    const ByteView data = slice.part(layout.chained_fixups.offset, layout.chained_fixups.size);
    require_range(data, 0, 28, "the header of the chained fixups");
    if (data.load<std::uint32_t>(0) != 0) {
        throw Error(
            fmt::format("the file's chained fixups have version {}, which is not read", data.load<std::uint32_t>(0)));
    }
    read_imports(data, found);
    const std::uint64_t starts = data.load<std::uint32_t>(4);
    const std::uint64_t segments = data.load<std::uint32_t>(starts);
    if (segments > layout.segments.size()) {
        fail_damaged(fmt::format("its chained fixups have {} segments of {}", segments, layout.segments.size()));
    }
    for (std::uint64_t i = 0; i < segments; ++i) {
        const std::uint64_t into = data.load<std::uint32_t>(starts + 4 + i * 4);
        if (into != 0) {
            const Segment& segment = layout.segments[static_cast<std::size_t>(i)];
            read_starts(data, starts + into, segment, limit, found);
            if (gatherer.wanted()) {
                gather_chains(slice, layout, data, starts + into, segment, found, gatherer);
            }
        }
    }
}

Fixups fixups(ByteView slice, const Layout& layout, std::size_t limit, ContentsGatherer& gatherer) {
    Fixups found;
    read_opcodes(slice, layout, limit, found, gatherer);
    read_chained_fixups(slice, layout, limit, found, gatherer);
    return found;
}

}  // namespace nasm_build::inspect::macho
