// One pass over the raw tables. LIEF makes an object of each of the 355,000 relocations of a large library; these are 24
// bytes each, and only their place, their type and their symbol matter here.
#include "inspect/read/relocations_elf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nasm_build::inspect::elf {

namespace {

struct Relocation {
    std::uint64_t place = 0;
    std::uint64_t symbol = 0;
    std::uint32_t type = 0;
    std::uint64_t addend = 0;
};

std::uint64_t entry_size(const Layout& layout, bool with_addend) noexcept {
    return (with_addend ? 3 : 2) * layout.word();
}

Relocation load(ByteView file, const Layout& layout, std::uint64_t at, bool with_addend) {
    if (layout.is_64) {
        const auto info = file.load<std::uint64_t>(at + 8);
        const std::uint64_t addend = with_addend ? file.load<std::uint64_t>(at + 16) : 0;
        return {file.load<std::uint64_t>(at), info >> 32U, static_cast<std::uint32_t>(info), addend};
    }
    const auto info = file.load<std::uint32_t>(at + 4);
    return {file.load<std::uint32_t>(at), info >> 8U, info & 0xFFU, 0};
}

/// What a relocation writes, by the psABIs of the two machines whose tables are read.
enum class Writes : std::uint8_t { other, address, symbol };

Writes what_it_writes(Machine machine, std::uint32_t type) noexcept {
    if (machine == Machine::x86_64) {
        constexpr std::uint32_t r_64 = 1, r_glob_dat = 6, r_jump_slot = 7, r_relative = 8;
        const bool symbol = type == r_64 || type == r_glob_dat || type == r_jump_slot;
        return symbol ? Writes::symbol : type == r_relative ? Writes::address : Writes::other;
    }
    if (machine == Machine::arm64) {
        constexpr std::uint32_t r_abs64 = 257, r_glob_dat = 1025, r_jump_slot = 1026, r_relative = 1027;
        const bool symbol = type == r_abs64 || type == r_glob_dat || type == r_jump_slot;
        return symbol ? Writes::symbol : type == r_relative ? Writes::address : Writes::other;
    }
    return Writes::other;
}

void gather(ByteView file, const Layout& layout, const Relocation& relocation, ContentsGatherer& gatherer) {
    switch (what_it_writes(layout.machine, relocation.type)) {
        case Writes::other:
            break;
        case Writes::address:
            gatherer.add_address(relocation.place, relocation.addend);
            break;
        case Writes::symbol: {
            const std::uint64_t at = layout.symbols_offset + relocation.symbol * layout.symbol_size();
            const bool is_defined = file.load<std::uint16_t>(at + 6) != 0;
            if (is_defined) {
                gatherer.add_address(relocation.place, file.load<std::uint64_t>(at + 8) + relocation.addend);
            } else {
                gatherer.add_symbol(
                    relocation.place,
                    layout.dynamic_strings.text(file.load<std::uint32_t>(at)).value_or(std::string_view{}));
            }
            break;
        }
    }
}

/// A relative relocation without an addend of its own (DT_RELR): the place holds it.
void gather_relative(ByteView file, const Layout& layout, std::uint64_t place, const Segment& segment,
                     ContentsGatherer& gatherer) {
    const std::uint64_t into = place - segment.address;
    if (into <= segment.file_size && segment.file_size - into >= layout.word()) {
        gatherer.add_address(place, load_word(file, layout, segment.offset + into));
    }
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

/// The types of relocations that rules ask for, by the processor supplements of the System V ABI.
struct SpecialTypes {
    std::uint32_t indirect = 0;  ///< R_*_IRELATIVE
    std::array<std::uint32_t, 2> thread_offsets = {};  ///< R_*_TPOFF, R_*_TPREL: distances from the thread pointer

    [[nodiscard]] bool is_thread_offset(std::uint32_t type) const noexcept {
        return type == thread_offsets[0] || type == thread_offsets[1];
    }
};

SpecialTypes special_types(Machine machine) noexcept {
    switch (machine) {
        case Machine::x86_64:
            return {37, {18, 23}};
        case Machine::x86:
            return {42, {14, 37}};
        case Machine::arm64:
            return {1032, {1030, 1030}};
        case Machine::arm:
            return {160, {19, 19}};
        case Machine::ppc64le:
            return {248, {73, 73}};
        case Machine::riscv64:
            return {58, {10, 11}};
        case Machine::loongarch64:
            return {12, {10, 11}};
        case Machine::ppc64:
        case Machine::s390x:
        case Machine::unknown:
            break;  // big-endian files are not read
    }
    return {};
}

std::uint64_t place_of_symbol(const Layout& layout, std::uint64_t symbol) noexcept {
    return layout.symbols_offset + symbol * layout.symbol_size();
}

std::string name_of_symbol(ByteView file, const Layout& layout, std::uint64_t symbol) {
    const auto name = file.load<std::uint32_t>(place_of_symbol(layout, symbol));
    return std::string(layout.dynamic_strings.text(name).value_or(std::string_view{}));
}

/// Whether a relocation's symbol is the file's own: without one it is about the file's own data.
bool is_defined_here(ByteView file, const Layout& layout, std::uint64_t symbol) {
    return symbol == 0 || file.load<std::uint16_t>(place_of_symbol(layout, symbol) + (layout.is_64 ? 6 : 14)) != 0;
}

bool is_indirect_function(ByteView file, const Layout& layout, std::uint64_t symbol) {
    constexpr unsigned stt_gnu_ifunc = 10;
    return (file.load<std::uint8_t>(place_of_symbol(layout, symbol) + (layout.is_64 ? 4 : 12)) & 0xFU) == stt_gnu_ifunc;
}

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

RelocationFacts relocation_facts(ByteView file, const Layout& layout, std::size_t limit, ContentsGatherer& gatherer) {
    RelocationFacts facts;
    Places places(layout);
    const SpecialTypes special = special_types(layout.machine);
    const auto judge = [&](const Relocation& relocation) {
        const Segment* segment = places.find(relocation.place);
        if (segment == nullptr) {
            fail_damaged(fmt::format("a relocation's place 0x{:x} does not lie in a loaded segment", relocation.place));
        }
        if ((segment->flags & pf_w) != 0 || facts.text.size() >= limit) {
            return segment;
        }
        facts.text.push_back({relocation.place, relocation.symbol == 0
                                                    ? std::string()
                                                    : name_of_symbol(file, layout, relocation.symbol)});
        return segment;
    };
    const bool gathers = gatherer.wanted();
    for (const RelocationTable& table : layout.relocations) {
        const std::uint64_t size = entry_size(layout, table.with_addend);
        for (std::uint64_t i = 0; i < table.count; ++i) {
            const Relocation relocation = load(file, layout, table.offset + i * size, table.with_addend);
            if (relocation.symbol != 0 && relocation.symbol >= layout.symbol_count) {
                fail_damaged(fmt::format("a relocation refers to dynamic symbol {} of {}", relocation.symbol,
                                         layout.symbol_count));
            }
            if (relocation.type == 0) {  // R_*_NONE writes nothing, on every machine
                continue;
            }
            judge(relocation);
            if (gathers) {
                gather(file, layout, relocation, gatherer);
            }
            if (relocation.type == special.indirect) {
                ++facts.indirect;
            } else if (special.is_thread_offset(relocation.type)) {
                facts.places_own_storage_statically |= is_defined_here(file, layout, relocation.symbol);
            }
            if (relocation.symbol != 0 && facts.indirect_symbol.empty() &&
                is_indirect_function(file, layout, relocation.symbol) &&
                is_defined_here(file, layout, relocation.symbol)) {
                facts.indirect_symbol = name_of_symbol(file, layout, relocation.symbol);
            }
        }
    }
    for_each_relative(file, layout, [&](std::uint64_t place) {
        const Segment* segment = judge({place, 0, 0, 0});
        if (gathers) {
            gather_relative(file, layout, place, *segment, gatherer);
        }
    });
    return facts;
}

}  // namespace nasm_build::inspect::elf
