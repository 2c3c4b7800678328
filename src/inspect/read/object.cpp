// Reads the relocations of an ELF64 object for x86-64 raw: sections, symbols, relocations, and lines from line_table.cpp.
#include "inspect/read/object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/byte_view.hpp"
#include "base/error.hpp"
#include "inspect/read/foreign.hpp"
#include "inspect/read/guard_elf.hpp"
#include "inspect/read/line_table.hpp"

namespace nasm_build::inspect {

namespace {

// System V ABI for AMD64, table of relocation types; 39 and 40 were withdrawn.
constexpr std::array relocation_names = {
    "R_X86_64_NONE",
    "R_X86_64_64",
    "R_X86_64_PC32",
    "R_X86_64_GOT32",
    "R_X86_64_PLT32",
    "R_X86_64_COPY",
    "R_X86_64_GLOB_DAT",
    "R_X86_64_JUMP_SLOT",
    "R_X86_64_RELATIVE",
    "R_X86_64_GOTPCREL",
    "R_X86_64_32",
    "R_X86_64_32S",
    "R_X86_64_16",
    "R_X86_64_PC16",
    "R_X86_64_8",
    "R_X86_64_PC8",
    "R_X86_64_DTPMOD64",
    "R_X86_64_DTPOFF64",
    "R_X86_64_TPOFF64",
    "R_X86_64_TLSGD",
    "R_X86_64_TLSLD",
    "R_X86_64_DTPOFF32",
    "R_X86_64_GOTTPOFF",
    "R_X86_64_TPOFF32",
    "R_X86_64_PC64",
    "R_X86_64_GOTOFF64",
    "R_X86_64_GOTPC32",
    "R_X86_64_GOT64",
    "R_X86_64_GOTPCREL64",
    "R_X86_64_GOTPC64",
    "R_X86_64_GOTPLT64",
    "R_X86_64_PLTOFF64",
    "R_X86_64_SIZE32",
    "R_X86_64_SIZE64",
    "R_X86_64_GOTPC32_TLSDESC",
    "R_X86_64_TLSDESC_CALL",
    "R_X86_64_TLSDESC",
    "R_X86_64_IRELATIVE",
    "R_X86_64_RELATIVE64",
    "",
    "",
    "R_X86_64_GOTPCRELX",
    "R_X86_64_REX_GOTPCRELX",
};

std::string relocation_name(std::uint32_t type) {
    if (type < relocation_names.size() && *relocation_names.at(type) != '\0') {
        return relocation_names.at(type);
    }
    return fmt::format("R_X86_64_{}", type);
}

struct Relocation {
    std::uint64_t place = 0;
    std::uint64_t symbol = 0;
    std::uint32_t type = 0;
    std::int64_t addend = 0;
};

/// The object's tables, each within the file.
class Object {
public:
    explicit Object(ByteView file) : file_(file) {
        if (file.size() == 0) {
            throw Error("the object is empty");
        }
        if (file.size() < 4 || file.load<std::uint32_t>(0) != 0x464C457F) {
            const std::string what = describe_foreign(file);
            throw Error(what.empty() ? "the file is not an ELF object"
                                     : fmt::format("the file is {}, not an ELF object", what));
        }
        layout_ = elf::check(file);
        if (layout_.type != elf::et_rel) {
            throw Error("the file is a linked ELF file, not an object");
        }
        if (layout_.machine != Machine::x86_64) {
            throw Error(fmt::format("the object is for {}, not for x86-64", name_of(layout_.machine)));
        }
        const auto names_index = file.load<std::uint16_t>(62);
        if (names_index < layout_.sections.size()) {
            names_ = content(layout_.sections[names_index]);
        }
        find_symbols();
    }

    [[nodiscard]] const elf::Layout& layout() const noexcept { return layout_; }
    [[nodiscard]] std::uint64_t symbol_count() const noexcept { return symbols_.size() / symbol_size; }

    [[nodiscard]] ByteView content(const elf::SectionHeader& section) const {
        return section.type == elf::sht_nobits ? ByteView{} : file_.part(section.offset, section.size);
    }

    [[nodiscard]] std::string_view section_name(std::uint32_t index) const {
        return names_.text(layout_.sections[index].name).value_or(std::string_view{});
    }

    [[nodiscard]] std::string_view symbol_name(std::uint64_t symbol) const {
        return symbol_names_.text(symbols_.load<std::uint32_t>(symbol * symbol_size)).value_or(std::string_view{});
    }

    [[nodiscard]] std::uint16_t symbol_section(std::uint64_t symbol) const {
        return symbols_.load<std::uint16_t>(symbol * symbol_size + 6);
    }

    [[nodiscard]] std::uint8_t symbol_info(std::uint64_t symbol) const {
        return symbols_.load<std::uint8_t>(symbol * symbol_size + 4);
    }

    [[nodiscard]] std::uint64_t symbol_value(std::uint64_t symbol) const {
        return symbols_.load<std::uint64_t>(symbol * symbol_size + 8);
    }

    /// Calls `visit` with each relocation of a section's table.
    template <typename Visit>
    void for_each_relocation(const elf::SectionHeader& table, const Visit& visit) const {
        constexpr std::uint64_t size = 24;
        const ByteView bytes = content(table);
        for (std::uint64_t at = 0; at + size <= bytes.size(); at += size) {
            const auto info = bytes.load<std::uint64_t>(at + 8);
            const std::uint64_t symbol = info >> 32U;
            if (symbol >= symbol_count()) {
                fail_damaged(fmt::format("a relocation refers to symbol {} of {}", symbol, symbol_count()));
            }
            visit(Relocation{bytes.load<std::uint64_t>(at), symbol, static_cast<std::uint32_t>(info),
                             static_cast<std::int64_t>(bytes.load<std::uint64_t>(at + 16))});
        }
    }

private:
    static constexpr std::uint64_t symbol_size = 24;

    void find_symbols() {
        for (const elf::SectionHeader& section : layout_.sections) {
            if (section.type != elf::sht_symtab) {
                continue;
            }
            if (section.link >= layout_.sections.size()) {
                fail_damaged("its table of symbols has no names");
            }
            symbols_ = content(section);
            symbol_names_ = content(layout_.sections[section.link]);
            return;
        }
    }

    ByteView file_;
    elf::Layout layout_;
    ByteView names_;
    ByteView symbols_;
    ByteView symbol_names_;
};

LineTable read_lines(const Object& object) {
    LineSections sections;
    const auto& headers = object.layout().sections;
    for (std::uint32_t i = 0; i < headers.size(); ++i) {
        const std::string_view name = object.section_name(i);
        constexpr std::uint64_t shf_compressed = 0x800;
        if ((headers[i].flags & shf_compressed) != 0) {
            continue;  // gcc -gz; NASM writes none
        }
        if (name == ".debug_line") {
            sections.line = object.content(headers[i]);
        } else if (name == ".debug_line_str") {
            sections.line_string = object.content(headers[i]);
        } else if (name == ".debug_str") {
            sections.string = object.content(headers[i]);
        } else if (name == ".rela.debug_line" && headers[i].type == elf::sht_rela) {
            object.for_each_relocation(headers[i], [&](const Relocation& relocation) {
                sections.relocations.push_back(
                    {relocation.place, object.symbol_section(relocation.symbol),
                     object.symbol_value(relocation.symbol) + static_cast<std::uint64_t>(relocation.addend)});
            });
        }
    }
    std::stable_sort(sections.relocations.begin(), sections.relocations.end(),
                     [](const LineRelocation& left, const LineRelocation& right) { return left.place < right.place; });
    return LineTable(sections);
}

/// The references to each symbol for which `key` gives a list.
template <typename ListOf>
void collect(const Object& object, const ListOf& list_of) {
    std::vector<std::vector<Reference>*> lists(static_cast<std::size_t>(object.symbol_count()), nullptr);
    bool wanted = false;
    for (std::uint64_t symbol = 1; symbol < object.symbol_count(); ++symbol) {
        lists[static_cast<std::size_t>(symbol)] = list_of(symbol);
        wanted = wanted || lists[static_cast<std::size_t>(symbol)] != nullptr;
    }
    if (!wanted) {
        return;
    }
    const LineTable lines = read_lines(object);
    NameBudget budget(name_budget(0) * 8);
    const auto& headers = object.layout().sections;
    for (const elf::SectionHeader& table : headers) {
        const bool patches_memory = table.type == elf::sht_rela && table.info < headers.size() &&
                                    (headers[table.info].flags & elf::shf_alloc) != 0;
        if (!patches_memory) {
            continue;  // debug data refers to symbols too
        }
        object.for_each_relocation(table, [&](const Relocation& relocation) {
            std::vector<Reference>* list = lists[static_cast<std::size_t>(relocation.symbol)];
            if (list == nullptr) {
                return;
            }
            Reference reference{std::string(object.section_name(table.info)),
                                relocation.place,
                                relocation_name(relocation.type),
                                {},
                                0};
            if (auto place = lines.find(table.info, relocation.place)) {
                reference.file = std::move(place->file);
                reference.line = place->line;
            }
            budget.take(reference.section);
            budget.take(reference.file);
            list->push_back(std::move(reference));
        });
    }
}

void sort_references(ReferencesBySymbol& found) {
    for (auto& [name, list] : found) {
        std::stable_sort(list.begin(), list.end(), [](const Reference& left, const Reference& right) {
            return left.section != right.section ? left.section < right.section : left.offset < right.offset;
        });
    }
}

}  // namespace

std::vector<Reference> references(std::span<const std::byte> object, std::string_view symbol) {
    const std::array wanted = {std::string(symbol)};
    return std::move(references(object, std::span<const std::string>(wanted)).begin()->second);
}

ReferencesBySymbol references(std::span<const std::byte> object, std::span<const std::string> symbols) {
    const Object parsed{ByteView(object)};
    ReferencesBySymbol found;
    for (const std::string& name : symbols) {
        found[name];
    }
    NameBudget budget(name_budget(object.size()));
    collect(parsed, [&](std::uint64_t symbol) -> std::vector<Reference>* {
        const std::string_view name = parsed.symbol_name(symbol);
        budget.take(name);
        const auto entry = found.find(name);
        return entry == found.end() || entry->first.empty() ? nullptr : &entry->second;
    });
    sort_references(found);
    return found;
}

ReferencesBySymbol references_to_undefined(std::span<const std::byte> object) {
    const Object parsed{ByteView(object)};
    ReferencesBySymbol found;
    NameBudget budget(name_budget(object.size()));
    collect(parsed, [&](std::uint64_t symbol) -> std::vector<Reference>* {
        const std::string_view name = parsed.symbol_name(symbol);
        budget.take(name);
        if (parsed.symbol_section(symbol) != 0 || name.empty()) {
            return nullptr;
        }
        return &found[std::string(name)];
    });
    std::erase_if(found, [](const auto& entry) { return entry.second.empty(); });
    sort_references(found);
    return found;
}

namespace {

// The bytes that a relocation changes: those of its field and, where the linker may take a load of an address for the address
// itself (psABI, GOTPCRELX), the opcode before it.
void mark_patched(const Relocation& relocation, std::vector<bool>& is_patched) {
    constexpr std::uint32_t gotpcrel = 9, gotpcrelx = 41, rex_gotpcrelx = 42, r_64 = 1, pc64 = 24;
    const bool may_relax =
        relocation.type == gotpcrel || relocation.type == gotpcrelx || relocation.type == rex_gotpcrelx;
    const std::uint64_t before = may_relax ? 3 : 0;
    const std::uint64_t size = relocation.type == r_64 || relocation.type == pc64 ? 8 : 4;
    const std::uint64_t first = relocation.place - std::min(before, relocation.place);
    for (std::uint64_t at = first; at < relocation.place + size && at < is_patched.size(); ++at) {
        is_patched[static_cast<std::size_t>(at)] = true;
    }
}

}  // namespace

std::vector<ObjectCode> code_of_object(std::span<const std::byte> object) {
    const Object parsed{ByteView(object)};
    const auto& headers = parsed.layout().sections;
    constexpr std::uint64_t code_flags = elf::shf_alloc | elf::shf_execinstr;
    NameBudget budget(name_budget(object.size()) * 8);
    std::vector<ObjectCode> found;
    std::vector<std::optional<std::size_t>> places(headers.size());
    for (std::uint32_t index = 0; index < headers.size(); ++index) {
        if ((headers[index].flags & code_flags) != code_flags || headers[index].type == elf::sht_nobits) {
            continue;
        }
        places[index] = found.size();
        const ByteView bytes = parsed.content(headers[index]);
        found.push_back({std::string(parsed.section_name(index)),
                         bytes.bytes(),
                         std::vector<bool>(static_cast<std::size_t>(bytes.size())),
                         {},
                         {}});
    }
    for (const elf::SectionHeader& table : headers) {
        if (table.type == elf::sht_rela && table.info < headers.size() && places[table.info]) {
            parsed.for_each_relocation(table, [&](const Relocation& relocation) {
                mark_patched(relocation, found[*places[table.info]].is_patched);
            });
        }
    }
    for (std::uint64_t symbol = 1; symbol < parsed.symbol_count(); ++symbol) {
        const std::uint16_t section = parsed.symbol_section(symbol);
        constexpr unsigned of_section = 3, of_file = 4;
        const unsigned type = parsed.symbol_info(symbol) & 0xFU;
        if (section < headers.size() && places[section] && type != of_section && type != of_file) {
            const std::string_view name = parsed.symbol_name(symbol);
            budget.take(name);
            found[*places[section]].symbols.push_back(
                {std::string(name), parsed.symbol_value(symbol), parsed.symbol_info(symbol) >> 4U != 0});
        }
    }
    const LineTable lines = read_lines(parsed);
    for (const LineTable::Range& range : lines.ranges()) {
        if (range.section < headers.size() && places[range.section]) {
            budget.take(lines.file_name(range));
            found[*places[range.section]].lines.push_back({range.begin, range.end, lines.file_name(range), range.line});
        }
    }
    return found;
}

}  // namespace nasm_build::inspect
