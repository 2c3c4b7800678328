#include "toolchain/macho_object.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "toolchain/macho_layout.hpp"
#include "toolchain/macho_names.hpp"

namespace nasm_build::toolchain {

namespace {

constexpr std::uint64_t personality_in_record = 16;

// What becomes of the symbols.
struct Choice {
    std::vector<bool> kept;
    std::vector<std::uint32_t> numbers;  // how many are kept before each, and before the end
};

// One object on its way; `bytes` changes, `layout` says where its parts lie and follows the relocations.
struct Trimming {
    explicit Trimming(std::span<const std::byte> object) : layout(read_macho_layout(object)), bytes(object) {}

    MachoLayout layout;
    ObjectBytes bytes;

    void name_functions_by_place();
    [[nodiscard]] bool refer_further(MachoRelocation& relocation, std::uint32_t symbol, std::uint64_t distance);
    void set_target(MachoRelocation& relocation, std::uint32_t target, bool names_symbol);
    void write_relocations(const Choice& choice);
    void write_groups(const Choice& choice);
    void write_symbols(const Choice& choice);
};

void Trimming::set_target(MachoRelocation& relocation, std::uint32_t target, bool names_symbol) {
    const std::uint64_t word = bytes.number(relocation.place + 4, 4);
    bytes.set_number(relocation.place + 4, 4, (word & 0xF7000000U) | target | (names_symbol ? 1U << 27U : 0U));
    relocation.target = target;
    relocation.names_symbol = names_symbol;
}

// The function, and the language's own data, of each record. A personality is a symbol in clang's objects too.
void Trimming::name_functions_by_place() {
    for (MachoRelocation& relocation : layout.relocations) {
        if (!layout.sections[relocation.section].is_compact_unwind || !relocation.names_symbol ||
            relocation.type != MachoRelocationType::absolute || relocation.width != 8 || relocation.is_relative ||
            relocation.offset % unwind_record_size == personality_in_record) {
            continue;
        }
        const MachoSymbol& symbol = layout.symbols[relocation.target];
        if (symbol.is_in_section()) {
            const std::uint64_t field = layout.field(relocation);
            bytes.set_number(field, 8, bytes.number(field, 8) + symbol.value);
            set_target(relocation, symbol.section, false);
        }
    }
}

// Whether a field can hold the distance that is added to it.
bool takes_distance(const MachoRelocation& relocation) {
    constexpr auto types = std::to_array<MachoRelocationType>(
        {MachoRelocationType::absolute, MachoRelocationType::relative, MachoRelocationType::branch,
         MachoRelocationType::relative_1, MachoRelocationType::relative_2, MachoRelocationType::relative_4});
    return relocation.width >= 4 && std::find(types.begin(), types.end(), relocation.type) != types.end();
}

// Lets a relocation name `symbol` and reach as far behind it; says whether it could.
bool Trimming::refer_further(MachoRelocation& relocation, std::uint32_t symbol, std::uint64_t distance) {
    if (distance != 0) {
        if (!takes_distance(relocation) || distance > std::numeric_limits<std::int32_t>::max()) {
            return false;
        }
        const std::uint64_t place = layout.field(relocation);
        const std::uint64_t field = bytes.number(place, relocation.width);
        const std::int64_t sum =
            static_cast<std::int32_t>(static_cast<std::uint32_t>(field)) + static_cast<std::int64_t>(distance);
        if (relocation.width == 4 && sum > std::numeric_limits<std::int32_t>::max()) {
            return false;
        }
        bytes.set_number(place, relocation.width, field + distance);
    }
    set_target(relocation, symbol, true);
    return true;
}

// Which symbols stay; relocations that name a label are made to name what it can be reached from.
Choice choose(Trimming& work) {
    const MachoNames names(work.layout, functions_with_unwind_data(work.bytes, work.layout));
    const std::size_t count = work.layout.symbols.size();
    Choice choice{.kept = std::vector<bool>(count), .numbers = {}};
    for (std::uint32_t index = 0; index < count; ++index) {
        choice.kept[index] = names.is_name(index);
    }
    for (MachoRelocation& relocation : work.layout.relocations) {
        if (!relocation.names_symbol || names.is_name(relocation.target)) {
            continue;
        }
        const std::uint32_t label = relocation.target;
        const std::optional<std::uint32_t> anchor = names.anchor(label);
        const auto& symbols = work.layout.symbols;
        if (!anchor || !work.refer_further(relocation, *anchor, symbols[label].value - symbols[*anchor].value)) {
            choice.kept[label] = true;
        }
    }
    const Range indirect = work.layout.indirect_symbols;
    for (std::uint64_t place = indirect.offset; place < indirect.end(); place += 4) {
        const std::uint64_t index = work.bytes.number(place, 4);
        if ((index & 0xC0000000U) == 0) {  // neither local nor absolute, which name no symbol
            if (index >= count) {
                throw not_a_macho_object();
            }
            choice.kept[index] = true;
        }
    }
    std::uint32_t number = 0;
    for (const bool kept : choice.kept) {
        choice.numbers.push_back(number);
        number += kept ? 1 : 0;
    }
    choice.numbers.push_back(number);
    return choice;
}

void Trimming::write_relocations(const Choice& choice) {
    for (MachoRelocation& relocation : layout.relocations) {
        if (relocation.names_symbol) {
            set_target(relocation, choice.numbers[relocation.target], true);
        }
    }
}

// Local, defined and undefined symbols stand in this order; the command says where each group begins and how many it has.
void Trimming::write_groups(const Choice& choice) {
    if (!layout.groups_command) {
        return;
    }
    for (const std::uint64_t offset : std::to_array<std::uint64_t>({8, 16, 24})) {
        const std::uint64_t place = *layout.groups_command + offset;
        const std::uint64_t first = bytes.number(place, 4);
        const std::uint64_t count = bytes.number(place + 4, 4);
        if (first + count > layout.symbols.size()) {
            throw not_a_macho_object();
        }
        bytes.set_number(place, 4, choice.numbers[first]);
        bytes.set_number(place + 4, 4, choice.numbers[first + count] - choice.numbers[first]);
    }
    const Range indirect = layout.indirect_symbols;
    for (std::uint64_t place = indirect.offset; place < indirect.end(); place += 4) {
        const std::uint64_t index = bytes.number(place, 4);
        if ((index & 0xC0000000U) == 0) {
            bytes.set_number(place, 4, choice.numbers[index]);
        }
    }
}

// Strings of a symbol table, and where the name of each kept symbol begins in them.
struct Strings {
    std::vector<std::byte> bytes;
    std::vector<std::uint64_t> starts;
};

std::uint64_t symbol_place(const Trimming& work, std::size_t symbol) {
    return work.layout.symbol_table.offset + symbol * macho_symbol_size;
}

Strings old_strings(const Trimming& work, const std::vector<std::size_t>& kept) {
    const auto old = work.bytes.part(work.layout.strings.offset, work.layout.strings.size);
    Strings strings{.bytes = {old.begin(), old.end()}, .starts = {}};
    for (const std::size_t symbol : kept) {
        strings.starts.push_back(work.bytes.number(symbol_place(work, symbol), 4));
    }
    return strings;
}

// The kept names, one behind the other. Names that share their bytes, as clang's do, could need more room than they had: then
// the strings stay as they are.
Strings kept_strings(const Trimming& work, const std::vector<std::size_t>& kept) {
    Strings strings{.bytes = {std::byte{0}}, .starts = {}};
    for (const std::size_t symbol : kept) {
        const std::string_view name = work.layout.symbols[symbol].name;
        if (strings.bytes.size() + name.size() + 1 > work.layout.strings.size) {
            return old_strings(work, kept);
        }
        strings.starts.push_back(name.empty() ? 0 : strings.bytes.size());
        if (!name.empty()) {
            const auto letters = std::as_bytes(std::span(name));
            strings.bytes.insert(strings.bytes.end(), letters.begin(), letters.end());
            strings.bytes.push_back(std::byte{0});
        }
    }
    return strings;
}

// Cuts off the old tables where they end the file, as they do in every object of NASM and clang. What lies behind them
// otherwise, nobody has told us: it stays, and so do they.
void cut_tables(const MachoLayout& layout, ObjectBytes& bytes) {
    constexpr std::uint64_t alignment = 8;
    const auto [first, last] =
        std::minmax(layout.symbol_table, layout.strings,
                    [](const Range& one, const Range& other) { return one.offset < other.offset; });
    if (last.offset - first.end() < alignment && bytes.size() - last.end() < alignment) {
        bytes.resize(first.offset);
    }
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
}

void Trimming::write_symbols(const Choice& choice) {
    std::vector<std::size_t> kept;
    for (std::size_t index = 0; index < choice.kept.size(); ++index) {
        if (choice.kept[index]) {
            kept.push_back(index);
        }
    }
    const Strings strings = kept_strings(*this, kept);
    ObjectBytes table({});
    for (std::size_t number = 0; number < kept.size(); ++number) {
        table.append(bytes.part(symbol_place(*this, kept[number]), macho_symbol_size));
        table.set_number(number * macho_symbol_size, 4, strings.starts[number]);
    }
    cut_tables(layout, bytes);
    const std::uint64_t command = *layout.symbols_command;
    bytes.set_number(command + 8, 4, bytes.size());
    bytes.set_number(command + 12, 4, kept.size());
    bytes.set_number(command + 16, 4, bytes.size() + table.size());
    bytes.set_number(command + 20, 4, strings.bytes.size());
    bytes.append(table.part(0, table.size()));
    bytes.append(strings.bytes);
}

}  // namespace

bool is_object_of_another_kind(std::span<const std::byte> object) noexcept {
    constexpr std::size_t shortest_header = 20;  // of COFF
    const auto starts_with = [&](std::initializer_list<unsigned> beginning) {
        return std::equal(beginning.begin(), beginning.end(), object.begin(),
                          [](unsigned wanted, std::byte found) { return wanted == std::to_integer<unsigned>(found); });
    };
    if (object.size() < shortest_header || starts_with({0xCF, 0xFA, 0xED, 0xFE, 0x07, 0x00, 0x00, 0x01})) {
        return false;
    }
    const bool is_elf = starts_with({0x7F, 'E', 'L', 'F'});
    const bool is_coff = starts_with({0x64, 0x86}) || starts_with({0x4C, 0x01}) || starts_with({0x64, 0xAA}) ||
                         starts_with({0x00, 0x00, 0xFF, 0xFF});  // for x86-64, x86, arm64; with many sections
    const bool is_macho = starts_with({0xCF, 0xFA, 0xED, 0xFE}) || starts_with({0xCE, 0xFA, 0xED, 0xFE}) ||
                          starts_with({0xCA, 0xFE, 0xBA, 0xBE});  // of 64 and 32 bits, universal
    return is_elf || is_coff || is_macho;
}

std::vector<std::byte> trim_macho_object(std::span<const std::byte> object) {
    Trimming work(object);
    if (work.layout.symbols.empty()) {
        return {object.begin(), object.end()};
    }
    work.name_functions_by_place();
    const Choice choice = choose(work);
    work.write_relocations(choice);
    work.write_groups(choice);
    work.write_symbols(choice);
    return std::move(work.bytes).release();
}

}  // namespace nasm_build::toolchain
