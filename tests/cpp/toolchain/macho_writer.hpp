// Mach-O objects made byte by byte for tests: sections of any content, symbols, relocations, and the two tables at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace nasm_build::toolchain::test {

using Bytes = std::vector<std::byte>;

constexpr std::uint8_t local = 0x0E;
constexpr std::uint8_t global = 0x0F;
constexpr std::uint8_t absolute = 0x02;
constexpr std::uint8_t undefined = 0x01;

struct Symbol {
    std::string name;
    std::uint8_t type = local;
    std::uint8_t section = 1;
    std::uint64_t value = 0;
    std::uint16_t details = 0;
};

struct Relocation {
    std::uint32_t offset = 0;
    std::uint32_t target = 0;
    unsigned type = 0;  // X86_64_RELOC_UNSIGNED
    unsigned length = 3;  // the binary logarithm of its field's width
    bool relative = false;
    bool names_symbol = true;
};

struct Section {
    std::string name;
    std::string segment;
    std::uint64_t address = 0;
    std::string contents;
    std::vector<Relocation> relocations{};
    std::uint32_t flags = 0;
};

constexpr std::uint32_t code_flags = 0x80000400;

inline void put(std::string& bytes, std::uint64_t number, std::size_t size) {
    for (std::size_t index = 0; index < size; ++index) {
        bytes += static_cast<char>(number >> (8 * index));
    }
}

inline void overwrite(std::string& bytes, std::size_t offset, std::uint64_t number, std::size_t size) {
    std::string field;
    put(field, number, size);
    bytes.replace(offset, size, field);
}

inline std::uint64_t number_at(const std::string& bytes, std::size_t offset, std::size_t size) {
    std::uint64_t number = 0;
    for (std::size_t index = size; index > 0; --index) {
        number = number << 8U | static_cast<unsigned char>(bytes.at(offset + index - 1));
    }
    return number;
}

inline std::string record(std::uint64_t start, std::uint32_t length, std::uint64_t personality = 0) {
    std::string bytes;
    put(bytes, start, 8);
    put(bytes, length, 4);
    put(bytes, 0x02010000, 4);
    put(bytes, personality, 8);
    put(bytes, 0, 8);
    return bytes;
}

/// What an object is made of, and where in it the parts came to lie.
struct Object {
    std::vector<Section> sections;
    std::vector<Symbol> symbols;
    std::vector<std::uint32_t> groups{};  // LC_DYSYMTAB: first and count of three groups; none without the command
    std::vector<std::uint32_t> indirect{};  // behind the relocations
    bool shares_names = false;  // a name that ends another begins inside of it
    std::string behind{};  // what follows the tables

    std::map<std::string, std::size_t> places{};

    /// The object. `places` has the commands, the contents and the relocations of each section by its name (`name`, `name
    /// header`, `name relocations`), `symbols`, `strings`, `symbols command`, `groups command`.
    std::string bytes();

private:
    std::string commands(std::size_t symbol_table, std::size_t strings, std::size_t string_size);
    std::string string_table(std::vector<std::size_t>& starts) const;
};

inline std::string Object::string_table(std::vector<std::size_t>& starts) const {
    std::string strings(1, '\0');
    for (const Symbol& symbol : symbols) {
        std::string text = symbol.name;
        text += '\0';
        const std::size_t shared = shares_names ? strings.find(text) : std::string::npos;
        starts.push_back(shared == std::string::npos ? strings.size() : shared);
        if (shared == std::string::npos) {
            strings += text;
        }
    }
    return strings;
}

inline std::string fixed(std::string name) {
    name.resize(16, '\0');
    return name;
}

inline std::string Object::commands(std::size_t symbol_table, std::size_t strings, std::size_t string_size) {
    std::string segment = std::string();
    put(segment, 0x19, 4);
    put(segment, 72 + 80 * sections.size(), 4);
    segment += std::string(16, '\0');
    for (int number = 0; number < 4; ++number) {
        put(segment, 0, 8);  // address, size, place and size in the file: linkers ask the sections
    }
    put(segment, 7, 4);
    put(segment, 7, 4);
    put(segment, sections.size(), 4);
    put(segment, 0, 4);
    for (const Section& section : sections) {
        places[section.name + " header"] = 32 + segment.size();
        segment += fixed(section.name) + fixed(section.segment);
        put(segment, section.address, 8);
        put(segment, section.contents.size(), 8);
        put(segment, places[section.name], 4);
        put(segment, 4, 4);
        put(segment, places[section.name + " relocations"], 4);
        put(segment, section.relocations.size(), 4);
        put(segment, section.flags, 4);
        segment += std::string(12, '\0');
    }
    places["symbols command"] = 32 + segment.size();
    put(segment, 0x02, 4);
    put(segment, 24, 4);
    put(segment, symbol_table, 4);
    put(segment, symbols.size(), 4);
    put(segment, strings, 4);
    put(segment, string_size, 4);
    if (!groups.empty()) {
        places["groups command"] = 32 + segment.size();
        put(segment, 0x0B, 4);
        put(segment, 80, 4);
        for (const std::uint32_t number : groups) {
            put(segment, number, 4);
        }
        segment += std::string(24, '\0');
        put(segment, indirect.empty() ? 0 : places["indirect"], 4);
        put(segment, indirect.size(), 4);
        segment += std::string(16, '\0');
    }
    return segment;
}

inline std::string Object::bytes() {
    const std::size_t commands_size = commands(0, 0, 0).size();
    std::string parts(32 + commands_size, '\0');
    for (const Section& section : sections) {
        places[section.name] = parts.size();
        parts += section.contents;
    }
    parts.resize((parts.size() + 7) / 8 * 8);
    for (const Section& section : sections) {
        places[section.name + " relocations"] = parts.size();
        for (const Relocation& one : section.relocations) {
            put(parts, one.offset, 4);
            put(parts,
                one.target | (one.relative ? 1U << 24U : 0U) | one.length << 25U | (one.names_symbol ? 1U << 27U : 0U) |
                    one.type << 28U,
                4);
        }
    }
    places["indirect"] = parts.size();
    for (const std::uint32_t number : indirect) {
        put(parts, number, 4);
    }
    parts.resize((parts.size() + 7) / 8 * 8);
    std::vector<std::size_t> starts;
    const std::string strings = string_table(starts);
    places["symbols"] = parts.size();
    for (std::size_t index = 0; index < symbols.size(); ++index) {
        const Symbol& symbol = symbols[index];
        put(parts, starts[index], 4);
        put(parts, symbol.type, 1);
        put(parts, symbol.type == absolute || symbol.type == undefined ? 0 : symbol.section, 1);
        put(parts, symbol.details, 2);
        put(parts, symbol.value, 8);
    }
    places["strings"] = parts.size();
    const std::string found = commands(places["symbols"], places["strings"], strings.size());
    std::string header;
    put(header, 0xFEEDFACF, 4);
    put(header, 0x01000007, 4);
    put(header, 3, 4);
    put(header, 1, 4);
    put(header, groups.empty() ? 2 : 3, 4);
    put(header, found.size(), 4);
    put(header, 0, 8);
    parts.replace(0, header.size(), header);
    parts.replace(header.size(), found.size(), found);
    return parts + strings + behind;
}

inline Bytes as_bytes(const std::string& text) {
    Bytes bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

inline std::string as_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace nasm_build::toolchain::test
