#include "toolchain/import_library.hpp"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace nasm_build::toolchain {

namespace {

constexpr std::uint16_t machine_amd64 = 0x8664;
constexpr std::size_t header_size = 20;  // of a COFF file, and of a member of IMAGE_IMPORT_DESCRIPTOR
constexpr std::size_t section_header_size = 40;
constexpr std::uint16_t relocation_addr32nb = 3;  // IMAGE_REL_AMD64_ADDR32NB: an address relative to the image
constexpr std::uint8_t class_external = 2;
constexpr std::uint8_t class_static = 3;
constexpr std::uint8_t class_section = 0x68;
constexpr std::uint8_t class_weak_external = 0x69;
// Initialised data that is read and written, in pieces of 2, 4 and 8 bytes: what import tables are made of.
constexpr std::uint32_t data_align_2 = 0xC0200040;
constexpr std::uint32_t data_align_4 = 0xC0300040;
constexpr std::uint32_t data_align_8 = 0xC0400040;

void put_little(std::string& bytes, std::uint64_t number, std::size_t size) {
    for (std::size_t index = 0; index < size; ++index) {
        bytes += static_cast<char>((number >> (8 * index)) & 0xFFU);
    }
}

void put_big(std::string& bytes, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes += static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xFFU);
    }
}

void put_short_name(std::string& bytes, std::string_view name) {
    std::string field(name.substr(0, 8));
    field.resize(8, '\0');
    bytes += field;
}

struct Relocation {
    std::uint32_t offset = 0;
    std::uint32_t symbol = 0;
};

struct Section {
    std::string_view name;
    std::string content;
    std::uint32_t characteristics = 0;
    std::vector<Relocation> relocations;
};

struct Symbol {
    std::string name;
    std::uint16_t section = 0;  // from 1; 0 is "somewhere else"
    std::uint8_t storage_class = class_external;
    std::optional<std::uint32_t> stands_for{};  // of a weak external: the symbol whose place it takes
};

// The record behind a weak external (section 5.5.3). The third way of searching makes the name an alias.
void put_weak_record(std::string& table, std::uint32_t symbol) {
    constexpr std::uint32_t search_alias = 3;
    put_little(table, symbol, 4);
    put_little(table, search_alias, 4);
    table.append(10, '\0');
}

// A small COFF object.
std::string object(const std::vector<Section>& sections, const std::vector<Symbol>& symbols) {
    std::string headers;
    std::string content;
    const std::size_t content_start = header_size + sections.size() * section_header_size;
    for (const Section& section : sections) {
        const std::size_t start = content_start + content.size();
        content += section.content;
        const std::size_t relocations_start = section.relocations.empty() ? 0 : content_start + content.size();
        for (const Relocation& relocation : section.relocations) {
            put_little(content, relocation.offset, 4);
            put_little(content, relocation.symbol, 4);
            put_little(content, relocation_addr32nb, 2);
        }
        put_short_name(headers, section.name);
        put_little(headers, 0, 8);  // the size and address in memory are an image's
        put_little(headers, section.content.size(), 4);
        put_little(headers, start, 4);
        put_little(headers, relocations_start, 4);
        put_little(headers, 0, 4);  // no line numbers
        put_little(headers, section.relocations.size(), 2);
        put_little(headers, 0, 2);
        put_little(headers, section.characteristics, 4);
    }
    std::string table;
    std::string strings;
    std::size_t records = 0;
    for (const Symbol& symbol : symbols) {
        if (symbol.name.size() <= 8) {
            put_short_name(table, symbol.name);
        } else {
            put_little(table, 0, 4);
            put_little(table, 4 + strings.size(), 4);
            strings += symbol.name + '\0';
        }
        put_little(table, 0, 4);  // the value
        put_little(table, symbol.section, 2);
        put_little(table, 0, 2);  // the type
        put_little(table, symbol.storage_class, 1);
        put_little(table, symbol.stands_for ? 1 : 0, 1);  // auxiliary records
        if (symbol.stands_for) {
            put_weak_record(table, *symbol.stands_for);
        }
        records += symbol.stands_for ? 2 : 1;
    }
    std::string bytes;
    put_little(bytes, machine_amd64, 2);
    put_little(bytes, sections.size(), 2);
    put_little(bytes, 0, 4);  // the time
    put_little(bytes, content_start + content.size(), 4);
    put_little(bytes, records, 4);
    put_little(bytes, 0, 4);  // no optional header, no characteristics
    bytes += headers + content + table;
    put_little(bytes, 4 + strings.size(), 4);
    return bytes + strings;
}

// The names that the objects of one library know each other by.
struct GluedNames {
    std::string descriptor;
    std::string null_descriptor = "__NULL_IMPORT_DESCRIPTOR";
    std::string null_thunk;
};

GluedNames names_of(std::string_view dll) {
    const std::string library(dll.substr(0, dll.rfind('.')));
    return {.descriptor = "__IMPORT_DESCRIPTOR_" + library, .null_thunk = "\x7f" + library + "_NULL_THUNK_DATA"};
}

// The row of the import table that names the DLL; its linker-made parts are found by the names of their sections.
std::string descriptor_object(std::string_view dll, const GluedNames& names) {
    std::string file_name(dll);
    file_name += '\0';
    file_name.resize((file_name.size() + 1) / 2 * 2, '\0');
    const std::vector<Section> sections{
        {".idata$2", std::string(header_size, '\0'), data_align_4, {{12, 2}, {0, 3}, {16, 4}}},
        {".idata$6", file_name, data_align_2, {}}};
    return object(sections, {{names.descriptor, 1, class_external},
                             {".idata$2", 1, class_section},
                             {".idata$6", 2, class_static},
                             {".idata$4", 0, class_section},
                             {".idata$5", 0, class_section},
                             {names.null_descriptor, 0, class_external},
                             {names.null_thunk, 0, class_external}});
}

std::string null_descriptor_object(const GluedNames& names) {
    return object({{".idata$3", std::string(header_size, '\0'), data_align_4, {}}},
                  {{names.null_descriptor, 1, class_external}});
}

std::string null_thunk_object(const GluedNames& names) {
    return object(
        {{".idata$5", std::string(8, '\0'), data_align_8, {}}, {".idata$4", std::string(8, '\0'), data_align_8, {}}},
        {{names.null_thunk, 1, class_external}});
}

// A second word for a symbol of this library.
std::string alias_object(const std::string& name, const std::string& symbol) {
    return object({}, {{symbol, 0, class_external}, {name, 0, class_weak_external, 0}});
}

// One export, as the linker turns it into a table entry (section 8 of the specification).
std::string short_import(std::string_view dll, std::string_view exported, ImportKind kind) {
    constexpr std::uint16_t by_name = 1;
    const std::uint16_t type = kind == ImportKind::variable ? 1 : 0;
    std::string bytes;
    put_little(bytes, 0, 2);
    put_little(bytes, 0xFFFF, 2);
    put_little(bytes, 0, 2);  // the version
    put_little(bytes, machine_amd64, 2);
    put_little(bytes, 0, 4);  // the time
    put_little(bytes, exported.size() + dll.size() + 2, 4);
    put_little(bytes, 0, 2);  // the hint: where the loader looks first, and finds by name otherwise
    put_little(bytes, static_cast<std::uint16_t>(type | (by_name << 2U)), 2);
    bytes += exported;
    bytes += '\0';
    bytes += dll;
    bytes += '\0';
    return bytes;
}

// The archive: members, and which of them has which symbol.
class Archive {
public:
    explicit Archive(std::string_view name) : name_(name) {}

    void add(const std::string& content, const std::vector<std::string>& symbols) {
        members_.push_back(content);
        for (const std::string& symbol : symbols) {
            if (symbols_.emplace(symbol, members_.size() - 1).second) {
                in_order_of_members_.push_back(symbol);
            }
        }
    }

    [[nodiscard]] std::string bytes() const {
        const std::size_t names = names_size();
        const std::string long_names = name_.size() > 15 ? name_ + '\0' : std::string();
        const std::size_t first = 4 + 4 * symbols_.size() + names;
        const std::size_t second = 4 + 4 * members_.size() + 4 + 2 * symbols_.size() + names;
        std::size_t offset = magic.size() + whole(first) + whole(second);
        offset += long_names.empty() ? 0 : whole(long_names.size());
        std::vector<std::uint32_t> offsets;
        for (const std::string& member : members_) {
            offsets.push_back(static_cast<std::uint32_t>(offset));
            offset += whole(member.size());
        }
        std::string archive(magic);
        append(archive, "/", first_index(offsets));
        append(archive, "/", second_index(offsets));
        if (!long_names.empty()) {
            append(archive, "//", long_names);
        }
        for (const std::string& member : members_) {
            append(archive, long_names.empty() ? name_ + "/" : "/0", member);
        }
        return archive;
    }

private:
    static constexpr std::string_view magic = "!<arch>\n";
    static constexpr std::size_t member_header_size = 60;

    static std::size_t whole(std::size_t size) { return member_header_size + (size + 1) / 2 * 2; }

    static void append(std::string& archive, std::string_view name, const std::string& content) {
        archive += fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 644, content.size());
        archive += content;
        archive += content.size() % 2 == 0 ? "" : "\n";
    }

    [[nodiscard]] std::size_t names_size() const {
        std::size_t size = 0;
        for (const std::string& symbol : in_order_of_members_) {
            size += symbol.size() + 1;
        }
        return size;
    }

    // Each symbol with its member's place, in the order of the members: lld takes them in this order.
    [[nodiscard]] std::string first_index(const std::vector<std::uint32_t>& offsets) const {
        std::string index;
        std::string names;
        put_big(index, static_cast<std::uint32_t>(symbols_.size()));
        for (const std::string& symbol : in_order_of_members_) {
            put_big(index, offsets[symbols_.at(symbol)]);
            names += symbol + '\0';
        }
        return index + names;
    }

    // The same in the order of the names, for a search by halves.
    [[nodiscard]] std::string second_index(const std::vector<std::uint32_t>& offsets) const {
        std::string index;
        std::string names;
        put_little(index, offsets.size(), 4);
        for (const std::uint32_t offset : offsets) {
            put_little(index, offset, 4);
        }
        put_little(index, symbols_.size(), 4);
        for (const auto& [symbol, member] : symbols_) {
            put_little(index, member + 1, 2);
            names += symbol + '\0';
        }
        return index + names;
    }

    std::string name_;
    std::vector<std::string> members_;
    std::map<std::string, std::size_t> symbols_;
    std::vector<std::string> in_order_of_members_;
};

// What the library calls an export: where its address is, and of a function the code that jumps there.
std::vector<std::string> symbols_of(std::string_view name, ImportKind kind) {
    std::vector<std::string> symbols{"__imp_" + std::string(name)};
    if (kind == ImportKind::function) {
        symbols.emplace_back(name);
    }
    return symbols;
}

}  // namespace

std::string import_library(std::string_view dll, std::span<const ImportName> names) {
    const GluedNames glue = names_of(dll);
    Archive archive(dll);
    archive.add(descriptor_object(dll, glue), {glue.descriptor});
    archive.add(null_descriptor_object(glue), {glue.null_descriptor});
    archive.add(null_thunk_object(glue), {glue.null_thunk});
    std::set<std::string_view> written;
    for (const ImportName& import : names) {
        const std::string_view exported = import.exported.empty() ? import.name : import.exported;
        const std::vector<std::string> symbols = symbols_of(exported, import.kind);
        if (written.insert(exported).second) {
            archive.add(short_import(dll, exported, import.kind), symbols);
        }
        if (exported != import.name) {
            const std::vector<std::string> aliases = symbols_of(import.name, import.kind);
            for (std::size_t index = 0; index < aliases.size(); ++index) {
                archive.add(alias_object(aliases[index], symbols[index]), {aliases[index]});
            }
        }
    }
    return archive.bytes();
}

}  // namespace nasm_build::toolchain
