// Sections, symbols and relocations come from toolchain/macho_layout.cpp, lines from line_table.cpp.
#include "inspect/read/object_macho.hpp"

#include <algorithm>

#include "base/byte_view.hpp"
#include "inspect/read/guard.hpp"
#include "inspect/read/object_code.hpp"
#include "toolchain/macho_layout.hpp"

namespace nasm_build::inspect::macho {

namespace {

using toolchain::MachoLayout;
using toolchain::MachoRelocation;
using toolchain::MachoRelocationType;
using toolchain::MachoSection;
using toolchain::MachoSymbol;

class Object {
public:
    explicit Object(ByteView file) : file_(file), layout_(toolchain::read_macho_layout(file.bytes())) {}

    std::vector<ObjectCode> code() {
        read_code();
        read_symbols();
        read_lines();
        std::vector<ObjectCode> found;
        for (std::size_t section = 0; section < code_.size(); ++section) {
            if (layout_.sections[section].is_code) {
                found.push_back(std::move(code_[section]));
            }
        }
        return found;
    }

private:
    [[nodiscard]] ByteView contents(const MachoSection& section) const {
        return section.contents.size == 0 ? ByteView{} : file_.part(section.contents.offset, section.contents.size);
    }

    void read_code() {
        code_.resize(layout_.sections.size());
        for (std::size_t section = 0; section < layout_.sections.size(); ++section) {
            if (layout_.sections[section].is_code) {
                code_[section] = bare_code(layout_.sections[section].name, contents(layout_.sections[section]).bytes());
            }
        }
        for (const MachoRelocation& relocation : layout_.relocations) {
            // A linker makes the load of an address from the table of addresses an address itself: `mov` becomes `lea`.
            const bool may_relax = relocation.type == MachoRelocationType::got_load ||
                                   relocation.type == MachoRelocationType::thread_local_variable;
            const std::uint64_t before = may_relax ? 2 : 0;
            mark_patched(code_[relocation.section], relocation.offset - std::min(before, relocation.offset),
                         relocation.offset + relocation.width);
        }
    }

    void read_symbols() {
        constexpr std::uint16_t alternative_entry = 0x200;  // N_ALT_ENTRY: no piece begins there
        NameBudget budget(name_budget(file_.size()) * 8);
        for (const MachoSymbol& symbol : layout_.symbols) {
            if (!symbol.is_in_section() || !layout_.sections[symbol.section - 1U].is_code) {
                continue;
            }
            ObjectCode& code = code_[symbol.section - 1U];
            const std::uint64_t offset = symbol.value - layout_.sections[symbol.section - 1U].address;
            std::string_view name = symbol.name;
            name.remove_prefix(name.starts_with('_') ? 1 : 0);
            budget.take(name);
            code.symbols.push_back({std::string(name), offset, symbol.is_global()});
            if (layout_.is_parted_at_symbols && (symbol.details & alternative_entry) == 0 && offset != 0 &&
                offset < code.bytes.size()) {
                code.cuts.push_back(offset);
            }
        }
        for (ObjectCode& code : code_) {
            std::sort(code.cuts.begin(), code.cuts.end());
            code.cuts.erase(std::unique(code.cuts.begin(), code.cuts.end()), code.cuts.end());
        }
    }

    void read_lines() {
        LineSections sections;
        for (std::size_t section = 0; section < layout_.sections.size(); ++section) {
            const MachoSection& one = layout_.sections[section];
            if (one.segment == "__DWARF" && one.name == "__debug_line") {
                sections.line = contents(one);
                sections.relocations = places_in(section);
            } else if (one.segment == "__DWARF" && one.name == "__debug_line_str") {
                sections.line_string = contents(one);
            } else if (one.segment == "__DWARF" && one.name == "__debug_str") {
                sections.string = contents(one);
            } else if (one.is_code && one.contents.size != 0) {
                sections.unrelocated.push_back({static_cast<std::uint32_t>(section + 1), one.contents.size});
            }
        }
        const LineTable lines(sections);
        std::vector<ObjectCode*> numbered(layout_.sections.size() + 1, nullptr);
        for (std::size_t section = 0; section < layout_.sections.size(); ++section) {
            numbered[section + 1] = layout_.sections[section].is_code ? &code_[section] : nullptr;
        }
        give_lines(lines.ranges(), lines.files(), numbered);
    }

    // A relocation against a section leaves the address in the object where it changes it; one against a symbol the distance from it.
    [[nodiscard]] std::vector<LineRelocation> places_in(std::size_t section) const {
        std::vector<LineRelocation> places;
        for (const MachoRelocation& relocation : layout_.relocations) {
            if (relocation.section != section || relocation.width != 8 ||
                relocation.type != MachoRelocationType::absolute) {
                continue;
            }
            const auto field = file_.load<std::uint64_t>(layout_.field(relocation));
            std::uint64_t address = field;
            std::uint32_t target = relocation.target;
            if (relocation.names_symbol) {
                const MachoSymbol& symbol = layout_.symbols[relocation.target];
                target = symbol.is_in_section() ? symbol.section : 0U;
                address += symbol.value;
            }
            if (target != 0) {
                places.push_back({relocation.offset, target, address - layout_.sections[target - 1].address});
            }
        }
        std::stable_sort(places.begin(), places.end(), [](const LineRelocation& left, const LineRelocation& right) {
            return left.place < right.place;
        });
        return places;
    }

    ByteView file_;
    MachoLayout layout_;
    std::vector<ObjectCode> code_;  ///< by section; without bytes where it is no code
};

}  // namespace

std::vector<ObjectCode> code_of(std::span<const std::byte> object) {
    return Object(ByteView(object)).code();
}

}  // namespace nasm_build::inspect::macho
