// The guard of Mach-O: the table of symbols and its names.
#include <fmt/format.h>

#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

void check_symbols(ByteView slice, const Layout& layout) {
    const ByteView strings = slice.part(layout.strings.offset, layout.strings.size);
    NameBudget budget(name_budget(strings.size()));
    for (std::uint64_t i = 0; i < layout.symbols.size; ++i) {
        const std::uint64_t at = layout.symbols.offset + i * layout.symbol_size();
        const auto name = slice.load<std::uint32_t>(at);
        if (name == 0) {
            continue;  // <mach-o/nlist.h>: no name
        }
        const auto text = strings.text(name);
        if (!text) {
            fail_damaged(fmt::format("the name of symbol {} lies outside of the table of names", i));
        }
        budget.take(*text);
        const auto type = slice.load<std::uint8_t>(at + 4);
        const auto section = slice.load<std::uint8_t>(at + 5);
        constexpr std::uint8_t n_sect = 0x0E;
        if ((type & n_stab) == 0 && (type & n_type) == n_sect && (section == 0 || section > layout.section_count)) {
            fail_damaged(fmt::format("symbol {} lies in section {} of {}", i, section, layout.section_count));
        }
    }
}

}  // namespace nasm_build::inspect::macho
