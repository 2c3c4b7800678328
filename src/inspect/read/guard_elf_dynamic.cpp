// The guard of ELF: the dynamic table, its strings and the dynamic symbols.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::elf {

namespace {

// LIEF 0.12.3 stops after this many entries without saying so.
constexpr std::uint64_t dynamic_limit = 1000;
// Far above the largest shared library known; LIEF holds some 150 bytes for each.
constexpr std::uint64_t symbol_limit = 2'000'000;

void load_entries(ByteView file, Layout& layout, const Segment& segment) {
    const std::uint64_t size = 2 * layout.word();
    for (std::uint64_t i = 0; i < segment.file_size / size; ++i) {
        const std::uint64_t at = segment.offset + i * size;
        const DynamicEntry entry{at, load_word(file, layout, at), load_word(file, layout, at + layout.word())};
        layout.dynamic.push_back(entry);
        require_count(layout.dynamic.size(), dynamic_limit, "entries in its dynamic table");
        if (entry.tag == dt_null) {
            return;
        }
    }
    fail_damaged("its dynamic table has no end");
}

void check_single_entries(const Layout& layout) {
    // The loader takes the last of several, LIEF the first: there is no file for which they may differ.
    constexpr std::array once = {
        dt_pltrelsz, dt_hash,   dt_strtab,    dt_symtab,  dt_rela,       dt_relasz, dt_relaent, dt_strsz,    dt_syment,
        dt_soname,   dt_rel,    dt_relsz,     dt_relent,  dt_pltrel,     dt_jmprel, dt_flags,   dt_gnu_hash, dt_versym,
        dt_flags_1,  dt_verdef, dt_verdefnum, dt_verneed, dt_verneednum, dt_relr,   dt_relrsz,  dt_relrent};
    for (const std::uint64_t tag : once) {
        const auto count = std::count_if(layout.dynamic.begin(), layout.dynamic.end(),
                                         [tag](const DynamicEntry& entry) { return entry.tag == tag; });
        if (count > 1) {
            fail_damaged(fmt::format("its dynamic table has the entry 0x{:x} more than once", tag));
        }
    }
}

void check_strings(ByteView file, Layout& layout) {
    const bool named = std::any_of(layout.dynamic.begin(), layout.dynamic.end(), [](const DynamicEntry& entry) {
        return entry.tag == dt_needed || entry.tag == dt_soname || entry.tag == dt_rpath || entry.tag == dt_runpath ||
               entry.tag == dt_symtab || entry.tag == dt_verneed || entry.tag == dt_verdef;
    });
    if (layout.find(dt_strtab) == nullptr) {
        if (named) {
            fail_damaged("its dynamic table has no table of names");
        }
        return;
    }
    const std::uint64_t size = layout.value(dt_strsz);
    if (size == 0) {
        fail_damaged("its table of dynamic names is empty");
    }
    const std::uint64_t offset = offset_of(layout, layout.value(dt_strtab), size, "the table of dynamic names");
    if (offset == 0) {
        // LIEF 1.0.0 takes this for no table, 0.12.3 reads names from there.
        fail_damaged("its table of dynamic names lies where the file's header is");
    }
    layout.dynamic_strings = file.part(offset, size);
    if (layout.dynamic_strings.load<std::uint8_t>(size - 1) != 0) {
        fail_damaged("its table of dynamic names has no end");
    }
    NameBudget budget(name_budget(size));
    for (const DynamicEntry& entry : layout.dynamic) {
        if (entry.tag == dt_needed || entry.tag == dt_soname || entry.tag == dt_rpath || entry.tag == dt_runpath) {
            const auto name = layout.dynamic_strings.text(entry.value);
            if (!name) {
                fail_damaged("a name in its dynamic table lies outside of the table of names");
            }
            budget.take(*name);
        }
    }
}

/// The number that the section headers state; nothing when they were stripped.
const SectionHeader* symbol_section(const Layout& layout) noexcept {
    const auto found = std::find_if(layout.sections.begin(), layout.sections.end(),
                                    [](const SectionHeader& section) { return section.type == sht_dynsym; });
    return found == layout.sections.end() ? nullptr : &*found;
}

void count_symbols(ByteView file, Layout& layout) {
    const std::uint64_t by_hash = symbols_by_hash(file, layout);
    const SectionHeader* section = symbol_section(layout);
    if (section == nullptr) {
        if (by_hash == 0) {
            fail_damaged("it has neither a hash table nor section headers, so its symbols cannot be counted");
        }
        layout.symbol_count = by_hash;
        return;
    }
    const std::uint64_t by_section = section->size / layout.symbol_size();
    if (section->offset != layout.symbols_offset || section->size % layout.symbol_size() != 0) {
        fail_damaged("its section headers and its dynamic table disagree on the dynamic symbols");
    }
    if (by_hash != 0 && by_hash != by_section) {
        fail_damaged(
            fmt::format("its section headers have {} dynamic symbols, its hash table {}", by_section, by_hash));
    }
    layout.symbol_count = by_section;
}

void check_symbols(ByteView file, Layout& layout) {
    const DynamicEntry* table = layout.find(dt_symtab);
    if (table == nullptr) {
        if (symbol_section(layout) != nullptr && layout.type == et_dyn) {
            fail_damaged("it has a section of dynamic symbols that its dynamic table does not know");
        }
        return;
    }
    if (layout.value(dt_syment) != layout.symbol_size()) {
        fail_damaged(fmt::format("its dynamic symbols have {} bytes each, not {}", layout.value(dt_syment),
                                 layout.symbol_size()));
    }
    layout.symbols_offset = offset_of(layout, table->value, layout.symbol_size(), "the table of dynamic symbols");
    count_symbols(file, layout);
    require_count(layout.symbol_count, symbol_limit, "dynamic symbols");
    static_cast<void>(
        offset_of(layout, table->value, layout.symbol_count * layout.symbol_size(), "the table of dynamic symbols"));
    NameBudget budget(name_budget(layout.dynamic_strings.size()));
    for (std::uint64_t i = 0; i < layout.symbol_count; ++i) {
        const auto name =
            layout.dynamic_strings.text(file.load<std::uint32_t>(layout.symbols_offset + i * layout.symbol_size()));
        if (!name) {
            fail_damaged(fmt::format("the name of dynamic symbol {} lies outside of the table of names", i));
        }
        budget.take(*name);
    }
}

void check_arrays(const Layout& layout) {
    constexpr std::array<std::array<std::uint64_t, 2>, 3> arrays = {
        {{dt_init_array, dt_init_arraysz}, {dt_fini_array, dt_fini_arraysz}, {dt_preinit_array, dt_preinit_arraysz}}};
    for (const auto& [table, size] : arrays) {
        if (layout.value(size) != 0 && layout.value(table) != 0) {
            static_cast<void>(offset_of(layout, layout.value(table), layout.value(size), "an array of initialisers"));
        }
    }
}

}  // namespace

void check_dynamic(ByteView file, Layout& layout) {
    const auto is_dynamic = [](const Segment& segment) { return segment.type == pt_dynamic; };
    const auto count = std::count_if(layout.segments.begin(), layout.segments.end(), is_dynamic);
    if (count > 1) {
        fail_damaged("it has more than one dynamic table");
    }
    if (count == 0) {
        if (layout.type == et_dyn) {
            fail_damaged("it is a shared library without a dynamic table");
        }
        return;
    }
    const Segment& segment = *std::find_if(layout.segments.begin(), layout.segments.end(), is_dynamic);
    if (offset_of(layout, segment.address, segment.file_size, "the dynamic table") != segment.offset) {
        fail_damaged("its headers disagree on where the dynamic table lies");
    }
    load_entries(file, layout, segment);
    check_single_entries(layout);
    check_strings(file, layout);
    check_symbols(file, layout);
    check_arrays(layout);
    check_symbol_versions(file, layout);
    check_relocations(file, layout);
}

}  // namespace nasm_build::inspect::elf
