// One pass over the raw tables. LIEF makes an object of each of the 355,000 relocations of a large library; these are 24
// bytes each, and only their place and their symbol matter here.
#include "inspect/read/relocations_elf.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nasm_build::inspect::elf {

namespace {

struct Relocation {
    std::uint64_t place = 0;
    std::uint64_t symbol = 0;
    std::uint32_t type = 0;
};

std::uint64_t entry_size(const Layout& layout, bool with_addend) noexcept {
    return (with_addend ? 3 : 2) * layout.word();
}

Relocation load(ByteView file, const Layout& layout, std::uint64_t at) {
    if (layout.is_64) {
        const auto info = file.load<std::uint64_t>(at + 8);
        return {file.load<std::uint64_t>(at), info >> 32U, static_cast<std::uint32_t>(info)};
    }
    const auto info = file.load<std::uint32_t>(at + 4);
    return {file.load<std::uint32_t>(at), info >> 8U, info & 0xFFU};
}

void add_table(const Layout& layout, std::uint64_t tag, std::uint64_t size_tag, std::uint64_t entry_tag,
               bool with_addend, std::vector<RelocationTable>& tables) {
    const std::uint64_t size = layout.value(size_tag);
    if (layout.find(tag) == nullptr || size == 0) {
        if (size != 0) {
            fail_damaged("its dynamic table has the size of relocations that it has no place for");
        }
        return;
    }
    const std::uint64_t entry = entry_size(layout, with_addend);
    if (size % entry != 0 || (entry_tag != 0 && layout.value(entry_tag) != entry)) {
        fail_damaged("its relocations have a size that cannot be");
    }
    tables.push_back(
        {offset_of(layout, layout.value(tag), size, "the table of relocations"), size / entry, with_addend});
}

/// The loaded segments in the order of their addresses, with the last one that matched first: relocations are sorted.
class Places {
public:
    explicit Places(const Layout& layout) {
        std::copy_if(layout.segments.begin(), layout.segments.end(), std::back_inserter(segments_),
                     [](const Segment& segment) { return segment.type == pt_load; });
    }

    [[nodiscard]] const Segment* find(std::uint64_t address) noexcept {
        if (last_ != nullptr && holds(*last_, address)) {
            return last_;
        }
        for (const Segment& segment : segments_) {
            if (holds(segment, address)) {
                last_ = &segment;
                return last_;
            }
        }
        return nullptr;
    }

private:
    static bool holds(const Segment& segment, std::uint64_t address) noexcept {
        return address >= segment.address && address - segment.address < segment.memory_size;
    }

    std::vector<Segment> segments_;
    const Segment* last_ = nullptr;
};

/// Calls `visit` with each place of the packed relative relocations (gABI, DT_RELR).
template <typename Visit>
void for_each_relative(ByteView file, const Layout& layout, const Visit& visit) {
    const std::uint64_t word = layout.word();
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < layout.relative.count; ++i) {
        const std::uint64_t entry = load_word(file, layout, layout.relative.offset + i * word);
        if ((entry & 1U) == 0) {
            visit(entry);
            next = entry + word;
            continue;
        }
        for (std::uint64_t bit = 0; bit < word * 8 - 1; ++bit) {
            if (((entry >> (bit + 1)) & 1U) != 0) {
                visit(next + bit * word);
            }
        }
        next += (word * 8 - 1) * word;
    }
}

}  // namespace

void check_relocations(ByteView file, Layout& layout) {
    add_table(layout, dt_rela, dt_relasz, dt_relaent, true, layout.relocations);
    add_table(layout, dt_rel, dt_relsz, dt_relent, false, layout.relocations);
    add_table(layout, dt_jmprel, dt_pltrelsz, 0, layout.value(dt_pltrel) != dt_rel, layout.relocations);
    if (const std::uint64_t size = layout.value(dt_relrsz); size != 0) {
        if (size % layout.word() != 0 || layout.value(dt_relrent) != layout.word()) {
            fail_damaged("its relative relocations have a size that cannot be");
        }
        layout.relative = {offset_of(layout, layout.value(dt_relr), size, "the table of relative relocations"),
                           size / layout.word(), false};
    }
    static_cast<void>(file);
}

std::vector<TextRelocation> text_relocations(ByteView file, const Layout& layout, std::size_t limit) {
    std::vector<TextRelocation> found;
    Places places(layout);
    const auto judge = [&](const Relocation& relocation) {
        const Segment* segment = places.find(relocation.place);
        if (segment == nullptr) {
            fail_damaged(fmt::format("a relocation's place 0x{:x} does not lie in a loaded segment", relocation.place));
        }
        if ((segment->flags & pf_w) != 0 || found.size() >= limit) {
            return;
        }
        std::string symbol;
        if (relocation.symbol != 0) {
            const std::uint64_t at = layout.symbols_offset + relocation.symbol * layout.symbol_size();
            symbol = layout.dynamic_strings.text(file.load<std::uint32_t>(at)).value_or(std::string_view{});
        }
        found.push_back({relocation.place, symbol});
    };
    for (const RelocationTable& table : layout.relocations) {
        const std::uint64_t size = entry_size(layout, table.with_addend);
        for (std::uint64_t i = 0; i < table.count; ++i) {
            const Relocation relocation = load(file, layout, table.offset + i * size);
            if (relocation.symbol != 0 && relocation.symbol >= layout.symbol_count) {
                fail_damaged(fmt::format("a relocation refers to dynamic symbol {} of {}", relocation.symbol,
                                         layout.symbol_count));
            }
            if (relocation.type != 0) {  // R_*_NONE writes nothing, on every machine
                judge(relocation);
            }
        }
    }
    for_each_relative(file, layout, [&](std::uint64_t place) { judge({place, 0, 0}); });
    return found;
}

}  // namespace nasm_build::inspect::elf
