// Reads `.symtab` raw: LIEF makes an object of each of its symbols, and a debug build has millions of them.
#include "inspect/read/hidden_elf.hpp"

#include <string_view>
#include <unordered_set>

#include "inspect/read/entry_point_names.hpp"

namespace nasm_build::inspect::elf {

namespace {

constexpr unsigned stt_file = 4;

struct Symbol {
    std::uint32_t name = 0;
    unsigned type = 0;
    unsigned binding = 0;
    unsigned visibility = 0;
    std::uint16_t section = 0;
    std::uint64_t value = 0;
};

Symbol load(ByteView file, const Layout& layout, std::uint64_t at) {
    const auto info = file.load<std::uint8_t>(at + (layout.is_64 ? 4 : 12));
    const auto other = file.load<std::uint8_t>(at + (layout.is_64 ? 5 : 13));
    Symbol symbol;
    symbol.name = file.load<std::uint32_t>(at);
    symbol.type = info & 0xFU;
    symbol.binding = info >> 4U;
    symbol.visibility = other & 3U;
    symbol.section = file.load<std::uint16_t>(at + (layout.is_64 ? 6 : 14));
    symbol.value = load_word(file, layout, at + (layout.is_64 ? 8 : 4));
    return symbol;
}

using Names = std::unordered_set<std::string_view>;

void read_table(ByteView file, const Layout& layout, const SectionHeader& table, const Names& exported,
                std::vector<HiddenSymbol>& hidden) {
    if (table.link >= layout.sections.size() || layout.sections[table.link].type != sht_strtab ||
        table.size % layout.symbol_size() != 0) {
        fail_damaged("its table of static symbols has no names or a size that cannot be");
    }
    const SectionHeader& strings = layout.sections[table.link];
    const ByteView names = file.part(strings.offset, strings.size);
    // GNU ld writes what a version script made local after a file symbol without a name, at the end of the local ones.
    bool made_local = false;
    NameBudget budget(name_budget(names.size()));
    for (std::uint64_t at = table.offset; at < table.offset + table.size; at += layout.symbol_size()) {
        const Symbol symbol = load(file, layout, at);
        const auto name = names.text(symbol.name);
        if (!name && symbol.name != 0) {
            fail_damaged("the name of a static symbol lies outside of the table of names");
        }
        budget.take(name.value_or(std::string_view{}));
        if (symbol.type == stt_file) {
            made_local = !name || name->empty();
            continue;
        }
        if (symbol.section == 0 || !name || !(looks_like_entry_point(*name) || is_of_interpreter(*name)) ||
            exported.contains(*name)) {
            continue;
        }
        const bool was_global = symbol.binding != 0 || symbol.visibility != 0 || made_local;
        hidden.push_back(
            {std::string(*name), symbol.value, was_global ? HiddenBecause::visibility : HiddenBecause::local});
    }
}

}  // namespace

std::vector<HiddenSymbol> hidden_symbols(ByteView file, const Layout& layout, const std::vector<Export>& exports) {
    std::vector<HiddenSymbol> hidden;
    Names exported;
    for (const Export& each : exports) {
        if (looks_like_entry_point(each.name) || is_of_interpreter(each.name)) {
            exported.insert(each.name);
        }
    }
    for (const SectionHeader& section : layout.sections) {
        if (section.type == sht_symtab && layout.type != et_rel) {
            read_table(file, layout, section, exported, hidden);
        }
    }
    return hidden;
}

}  // namespace nasm_build::inspect::elf
