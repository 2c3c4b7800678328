// The references of an ELF64 object for x86-64 to symbols: relocations of object_elf.cpp, lines of line_table.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "inspect/read/object.hpp"
#include "inspect/read/object_elf.hpp"

namespace nasm_build::inspect {

namespace {

using elf::Object;
using elf::Relocation;

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
    const LineTable lines = elf::read_lines(object);
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

}  // namespace nasm_build::inspect
