// Sections, symbols and relocations are the gABI's; lines come from line_table.cpp.
#include "inspect/read/object_elf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "inspect/read/foreign.hpp"
#include "inspect/read/object_code.hpp"

namespace nasm_build::inspect::elf {

Object::Object(ByteView file) : file_(file) {
    if (file.size() == 0) {
        throw Error("the object is empty");
    }
    if (file.size() < 4 || file.load<std::uint32_t>(0) != 0x464C457F) {
        const std::string what = describe_foreign(file);
        throw Error(what.empty() ? "the file is not an ELF object"
                                 : fmt::format("the file is {}, not an ELF object", what));
    }
    layout_ = check(file);
    if (layout_.type != et_rel) {
        throw Error("the file is a linked ELF file, not an object");
    }
    if (layout_.machine != Machine::x86_64) {
        throw Error(fmt::format("the object is for {}, not for x86-64", name_of(layout_.machine)));
    }
    // Each is read for each section that it changes; tables that lie upon each other would be read without a bound.
    std::uint64_t relocations = 0;
    for (const SectionHeader& section : layout_.sections) {
        relocations += section.type == sht_rela ? section.size : 0;
        if (relocations > file.size()) {
            fail_damaged("its tables of relocations overlap");
        }
    }
    const auto names_index = file.load<std::uint16_t>(62);
    if (names_index < layout_.sections.size()) {
        names_ = content(layout_.sections[names_index]);
    }
    find_symbols();
}

void Object::find_symbols() {
    for (const SectionHeader& section : layout_.sections) {
        if (section.type != sht_symtab) {
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
        } else if (name == ".rela.debug_line" && headers[i].type == sht_rela) {
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

namespace {

// The bytes that a relocation changes: those of its field and, where the linker may take a load of an address for the address
// itself (psABI, GOTPCRELX), the opcode before it.
void mark_field(const Relocation& relocation, ObjectCode& code) {
    constexpr std::uint32_t gotpcrel = 9, gotpcrelx = 41, rex_gotpcrelx = 42, r_64 = 1, pc64 = 24;
    const bool may_relax =
        relocation.type == gotpcrel || relocation.type == gotpcrelx || relocation.type == rex_gotpcrelx;
    const std::uint64_t before = may_relax ? 3 : 0;
    const std::uint64_t size = relocation.type == r_64 || relocation.type == pc64 ? 8 : 4;
    mark_patched(code, relocation.place - std::min(before, relocation.place), relocation.place + size);
}

}  // namespace

std::vector<ObjectCode> code_of(std::span<const std::byte> object) {
    const Object parsed{ByteView(object)};
    const auto& headers = parsed.layout().sections;
    constexpr std::uint64_t code_flags = shf_alloc | shf_execinstr;
    NameBudget budget(name_budget(object.size()) * 8);
    std::vector<ObjectCode> found;
    std::vector<std::optional<std::size_t>> places(headers.size());
    std::uint64_t code_size = 0;
    for (std::uint32_t index = 0; index < headers.size(); ++index) {
        if ((headers[index].flags & code_flags) != code_flags || headers[index].type == sht_nobits) {
            continue;
        }
        places[index] = found.size();
        const ByteView bytes = parsed.content(headers[index]);
        code_size += bytes.size();
        require_disjoint_code(code_size, object.size());
        found.push_back(bare_code(std::string(parsed.section_name(index)), bytes.bytes()));
    }
    for (const SectionHeader& table : headers) {
        if (table.type == sht_rela && table.info < headers.size() && places[table.info]) {
            parsed.for_each_relocation(
                table, [&](const Relocation& relocation) { mark_field(relocation, found[*places[table.info]]); });
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
    std::vector<ObjectCode*> by_section(headers.size(), nullptr);
    for (std::uint32_t index = 0; index < headers.size(); ++index) {
        by_section[index] = places[index] ? &found[*places[index]] : nullptr;
    }
    const LineTable lines = read_lines(parsed);
    give_lines(lines.ranges(), lines.files(), by_section);
    return found;
}

}  // namespace nasm_build::inspect::elf
