// Mach-O objects made here, byte by byte, whole and damaged; objects of NASM's, and what linkers make of them, are in
// tests/python/test_trim_object.py.
#include "toolchain/macho_object.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "macho_writer.hpp"
#include "toolchain/macho_layout.hpp"

namespace nasm_build::toolchain {
namespace {

using namespace test;

// f (16 bytes, with an unwind record), g (8 bytes, without one), and a table of pointers.
Object two_functions() {
    return {.sections = {{.name = "__text",
                          .segment = "__TEXT",
                          .address = 0,
                          .contents = std::string(24, '\x90'),
                          .flags = code_flags},
                         {.name = "__data", .segment = "__DATA", .address = 0x18, .contents = std::string(32, '\0')},
                         {.name = "__compact_unwind",
                          .segment = "__LD",
                          .address = 0x38,
                          .contents = record(0, 16),
                          .relocations = {{.offset = 0, .target = 0}}}},
            .symbols = {{.name = "f", .value = 0},
                        {.name = "f.loop", .value = 4},
                        {.name = "again", .value = 8},
                        {.name = "g", .value = 16},
                        {.name = "g.loop", .value = 20},
                        {.name = "SIZE", .type = absolute, .value = 32},
                        {.name = "table", .section = 2, .value = 0x18},
                        {.name = "table.second", .section = 2, .value = 0x20},
                        {.name = "_PyInit_m", .type = global, .value = 16},
                        {.name = "_PyLong_FromLong", .type = undefined}}};
}

constexpr std::uint32_t f_loop = 1;
constexpr std::uint32_t again = 2;
constexpr std::uint32_t g_loop = 4;
constexpr std::uint32_t table_second = 7;

std::string trim(const std::string& object) {
    return as_text(trim_macho_object(as_bytes(object)));
}

std::vector<std::string> names(const std::string& object) {
    const Bytes bytes = as_bytes(object);
    std::vector<std::string> found;
    for (const MachoSymbol& symbol : read_macho_layout(bytes).symbols) {
        found.emplace_back(symbol.name);
    }
    return found;
}

// The relocations of a section as `offset name+field`, or `offset #section+field`.
std::vector<std::string> references(const std::string& object, std::size_t section) {
    const Bytes bytes = as_bytes(object);
    const MachoLayout layout = read_macho_layout(bytes);
    std::vector<std::string> found;
    for (const MachoRelocation& one : layout.relocations) {
        if (one.section == section) {
            const std::string target =
                one.names_symbol ? std::string(layout.symbols[one.target].name) : "#" + std::to_string(one.target);
            const auto field = number_at(object, layout.field(one), one.width);
            found.push_back(std::to_string(one.offset) + " " + target + "+" + std::to_string(field));
        }
    }
    return found;
}

using Names = std::vector<std::string>;

TEST(MachoObject, KeepsNamesAndDropsLabels) {
    EXPECT_EQ(names(trim(two_functions().bytes())), (Names{"f", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, ChangesNothingBesides) {
    Object object = two_functions();
    const std::string before = object.bytes();
    const std::string after = trim(before);
    const std::string kept("\0f\0g\0table\0_PyInit_m\0_PyLong_FromLong\0", 38);
    EXPECT_EQ(after.size(), object.places["symbols"] + 5 * macho_symbol_size + kept.size());
    EXPECT_EQ(after.substr(after.size() - kept.size()), kept);
    std::string expected = before.substr(0, object.places["symbols"]);
    overwrite(expected, object.places["symbols command"] + 12, 5, 4);
    overwrite(expected, object.places["symbols command"] + 16, object.places["symbols"] + 5 * macho_symbol_size, 4);
    overwrite(expected, object.places["symbols command"] + 20, kept.size(), 4);
    // The record's relocation: of 8 bytes, in the first section, and no longer by a symbol.
    overwrite(expected, object.places["__compact_unwind relocations"] + 4, 3U << 25U | 1U, 4);
    EXPECT_EQ(after.substr(0, object.places["symbols"]), expected);
}

TEST(MachoObject, LeavesATrimmedObjectAsItIs) {
    const std::string once = trim(two_functions().bytes());
    EXPECT_EQ(trim(once), once);
}

TEST(MachoObject, ALabelWithoutADotGoesWhereARecordSaysThatItIsInside) {
    Object object = two_functions();
    EXPECT_EQ(names(trim(object.bytes())), (Names{"f", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
    object.sections[2].contents = record(0, 8);  // f ends where `again` stands
    EXPECT_EQ(names(trim(object.bytes())), (Names{"f", "again", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
    object.sections[2].name = "__unwind";  // no record at all
    object.sections[2].contents = record(0, 16);
    EXPECT_EQ(names(trim(object.bytes())), (Names{"f", "again", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, AFunctionMayHaveADotInItsName) {
    Object object = two_functions();
    object.symbols[0].name = "kernel.avx2";
    object.symbols[1].name = "kernel.avx2.loop";
    EXPECT_EQ(names(trim(object.bytes())), (Names{"kernel.avx2", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
    // The end of the function before it stands at the same place as a plain name does.
    object.symbols[5] = {.name = "kernel", .value = 0};
    EXPECT_EQ(names(trim(object.bytes())), (Names{"g", "kernel", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, OneNameStaysWhereARecordBegins) {
    const auto kept_of = [](const Names& three) {
        Object object = two_functions();
        object.symbols[1].name = three[0];
        object.symbols[2].name = three[1];
        object.symbols[4].name = three[2];
        object.symbols[0].name = "f.before";
        for (const std::uint32_t label : {f_loop, again, g_loop}) {
            object.symbols[label].value = 8;
        }
        object.symbols[0].section = 2;  // away from here
        object.symbols[0].value = 0x18;
        object.sections[2].contents = record(0, 8);
        object.sections[2].relocations = {{.offset = 0, .target = 1}};
        Names kept;
        for (const std::string& name : names(trim(object.bytes()))) {
            if (std::find(three.begin(), three.end(), name) != three.end()) {
                kept.push_back(name);
            }
        }
        return kept;
    };
    EXPECT_EQ(kept_of({"g.end", "kernel.avx2", "kernel.avx2.loop"}), (Names{"kernel.avx2"}));
    EXPECT_EQ(kept_of({"kernel.avx2", "kernel.avx2.loop", "g.end"}), (Names{"kernel.avx2"}));
    EXPECT_EQ(kept_of({"..@1.end", "..@2.begin", "g.end"}), (Names{"g.end"}));
    EXPECT_EQ(kept_of({"..@1.end", "plain", "kernel.avx2"}), (Names{"plain"}));
}

TEST(MachoObject, RecordsNameTheirFunctionsByPlace) {
    Object object = two_functions();
    object.sections[0].address = 0x100;
    for (Symbol& symbol : object.symbols) {
        symbol.value += symbol.section == 1 && symbol.type != undefined && symbol.type != absolute ? 0x100 : 0;
    }
    // A record for g+2, with a personality of its own module, which clang names by symbol, and data of the language.
    object.sections[2].contents += record(2, 6);
    object.sections[2].relocations.push_back({.offset = 32, .target = 3});
    object.sections[2].relocations.push_back({.offset = 48, .target = 0});
    object.sections[2].relocations.push_back({.offset = 56, .target = table_second});
    object.sections[2].relocations.push_back({.offset = 16, .target = 9});
    const std::string after = trim(object.bytes());
    EXPECT_EQ(references(after, 2), (Names{"0 #1+256", "32 #1+274", "48 f+0", "56 #2+32", "16 _PyLong_FromLong+0"}));
}

TEST(MachoObject, WhatRefersToALabelRefersToItsFunctionAndSoMuchFurther) {
    Object object = two_functions();
    overwrite(object.sections[1].contents, 0, 3, 8);
    overwrite(object.sections[1].contents, 24, static_cast<std::uint32_t>(-1), 4);
    object.sections[1].relocations = {{.offset = 0, .target = f_loop},
                                      {.offset = 8, .target = again},
                                      {.offset = 16, .target = g_loop, .length = 2},
                                      {.offset = 24, .target = f_loop, .type = 6, .length = 2, .relative = true},
                                      {.offset = 28, .target = again, .type = 2, .length = 2, .relative = true}};
    const std::string after = trim(object.bytes());
    EXPECT_EQ(references(after, 1), (Names{"0 f+7", "8 f+8", "16 _PyInit_m+4", "24 f+3", "28 f+8"}));
    EXPECT_EQ(names(after), (Names{"f", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, ALabelStaysWhereARelocationCannotReachFurther) {
    const auto trimmed_names = [](const Relocation& relocation, std::uint32_t field) {
        Object object = two_functions();
        overwrite(object.sections[1].contents, relocation.offset, field, 4);
        object.sections[1].relocations = {relocation};
        return names(trim(object.bytes()));
    };
    const Names with_label{"f", "f.loop", "g", "table", "_PyInit_m", "_PyLong_FromLong"};
    const Names without{"f", "g", "table", "_PyInit_m", "_PyLong_FromLong"};
    // Through the global offset table, as what is subtracted, and in fields of two bytes.
    EXPECT_EQ(trimmed_names({.target = f_loop, .type = 3, .length = 2, .relative = true}, 0), with_label);
    EXPECT_EQ(trimmed_names({.target = f_loop, .type = 4, .length = 2, .relative = true}, 0), with_label);
    EXPECT_EQ(trimmed_names({.target = f_loop, .type = 5, .length = 3}, 0), with_label);
    EXPECT_EQ(trimmed_names({.target = f_loop, .length = 1}, 0), with_label);
    // 4 bytes further is too far from here, and not from here.
    EXPECT_EQ(trimmed_names({.target = f_loop, .type = 1, .length = 2, .relative = true}, 0x7FFFFFFC), with_label);
    EXPECT_EQ(trimmed_names({.target = f_loop, .type = 1, .length = 2, .relative = true}, 0x7FFFFFFB), without);
}

TEST(MachoObject, AWeakDefinitionIsNoStartToCountFrom) {
    Object object = two_functions();
    object.symbols[0].type = global;
    object.symbols[0].details = 0x80;  // N_WEAK_DEF
    object.sections[1].relocations = {{.offset = 0, .target = f_loop}};
    EXPECT_EQ(names(trim(object.bytes())), (Names{"f", "f.loop", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, DataThatIsReferredToKeepsItsNameOrTakesAPlainOneOfTheSamePlace) {
    Object object = two_functions();
    object.sections[0].relocations = {{.offset = 4, .target = table_second, .type = 1, .length = 2, .relative = true}};
    std::string after = trim(object.bytes());
    EXPECT_EQ(references(after, 0), (Names{"4 table.second+" + std::to_string(0x90909090)}));
    object.symbols[5] = {.name = "second", .section = 2, .value = 0x20};
    after = trim(object.bytes());
    EXPECT_EQ(references(after, 0), (Names{"4 second+" + std::to_string(0x90909090)}));
    EXPECT_EQ(names(after), (Names{"f", "g", "second", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, CountsTheGroupsAgain) {
    Object object = two_functions();
    object.groups = {0, 8, 8, 1, 9, 1};
    object.indirect = {9, 0x80000000, table_second, 0xC0000000};
    const std::string after = trim(object.bytes());
    EXPECT_EQ(names(after), (Names{"f", "g", "table", "table.second", "_PyInit_m", "_PyLong_FromLong"}));
    std::vector<std::uint64_t> numbers;
    for (std::size_t index = 0; index < 6; ++index) {
        numbers.push_back(number_at(after, object.places["groups command"] + 8 + 4 * index, 4));
    }
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{0, 4, 4, 1, 5, 1}));
    numbers.clear();
    for (std::size_t index = 0; index < 4; ++index) {
        numbers.push_back(number_at(after, object.places["indirect"] + 4 * index, 4));
    }
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{5, 0x80000000, 3, 0xC0000000}));
}

TEST(MachoObject, NamesThatShareTheirBytesStayWhereTheyAre) {
    Object object = two_functions();
    object.shares_names = true;
    object.symbols = {{.name = "_a_long_name", .type = global}};
    for (const char* ending : {"a_long_name", "long_name", "name", "ame", "me", "e"}) {
        object.symbols.push_back({.name = ending, .type = global});
    }
    const std::string before = object.bytes();
    EXPECT_EQ(names(trim(before)), names(before));
    EXPECT_EQ(trim(before).size(), before.size());
}

TEST(MachoObject, WhatLiesBehindTheTablesStays) {
    Object object = two_functions();
    object.behind = "data that no command tells of";
    const std::string before = object.bytes();
    const std::string after = trim(before);
    EXPECT_EQ(after.find(object.behind), before.find(object.behind));
    EXPECT_EQ(names(after), (Names{"f", "g", "table", "_PyInit_m", "_PyLong_FromLong"}));
}

TEST(MachoObject, AnObjectWithoutSymbolsStaysAsItIs) {
    Object object = two_functions();
    object.symbols.clear();
    object.sections[2].relocations.clear();
    EXPECT_EQ(trim(object.bytes()), object.bytes());
}

TEST(MachoObject, OtherKindsOfObjects) {
    const auto is_other = [](std::string beginning, std::size_t size = 64) {
        beginning.resize(size);
        return is_object_of_another_kind(as_bytes(beginning));
    };
    EXPECT_TRUE(
        is_other("\x7f"
                 "ELF"));
    EXPECT_TRUE(is_other("\x64\x86"));  // COFF for x86-64
    EXPECT_TRUE(is_other("\x64\xaa"));  // … for arm64
    EXPECT_TRUE(is_other({"\0\0\xff\xff", 4}));  // … with more than 65,279 sections
    EXPECT_TRUE(is_other({"\xcf\xfa\xed\xfe\x0c\0\0\1", 8}));  // Mach-O for arm64
    EXPECT_TRUE(is_other("\xca\xfe\xba\xbe"));  // universal
    EXPECT_FALSE(is_other({"\xcf\xfa\xed\xfe\x07\0\0\1", 8}));  // Mach-O for x86-64
    EXPECT_FALSE(is_other("\xcf\xfa\xed\xfe", 4));  // cut
    EXPECT_FALSE(
        is_other("\x7f"
                 "ELF",
                 19));
    EXPECT_FALSE(is_other("PyInit_m:\n    ret\n"));
    EXPECT_FALSE(is_other("", 0));
}

// ---- Damage ------------------------------------------------------------------------------------------------------------

std::string refusal(const std::string& object) {
    try {
        static_cast<void>(trim(object));
    } catch (const Error& error) {
        return std::string(error.what()) + "; " + error.fix();
    }
    return "taken";
}

const char* const not_whole = "is no whole Mach-O object for x86-64; build it again";

Object with_everything() {
    Object object = two_functions();
    object.sections[1].relocations = {{.offset = 0, .target = f_loop}, {.offset = 8, .target = 3}};
    object.groups = {0, 8, 8, 1, 9, 1};
    object.indirect = {9};
    return object;
}

TEST(MachoObject, RefusesEveryCut) {
    const std::string whole = with_everything().bytes();
    ASSERT_EQ(refusal(whole), "taken");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(refusal(whole.substr(0, size)), not_whole) << size;
    }
}

TEST(MachoObject, RefusesNumbersThatLie) {
    Object object = with_everything();
    const std::string whole = object.bytes();
    const std::size_t segment = 32;
    const std::size_t text = object.places["__text header"];
    const std::size_t data = object.places["__data header"];
    const std::size_t symbols = object.places["symbols command"];
    const std::size_t groups = object.places["groups command"];
    const std::size_t first_symbol = object.places["symbols"];
    const std::size_t relocation = object.places["__data relocations"];
    const std::vector<std::tuple<std::string, std::size_t, std::uint64_t, std::size_t>> lies = {
        {"the magic", 0, 0xFEEDFACE, 4},
        {"a processor", 4, 0x0100000C, 4},
        {"a linked file", 12, 8, 4},
        {"more commands", 16, 4, 4},
        {"as many as there are numbers", 16, 0xFFFFFFFF, 4},
        {"commands past the end", 20, 0xFFFFFFF0, 4},
        {"commands over the contents", 20, object.places["__data"], 4},
        {"a command of no size", segment + 4, 0, 4},
        {"a command past the others", segment + 4, 0xFFFFFFFF, 4},
        {"two segments", symbols, 0x19, 4},
        {"two symbol tables", groups, 0x02, 4},
        {"more sections than the command has room for", segment + 64, 4, 4},
        {"contents past the end", text + 40, 0xFFFFFFFF, 8},
        {"contents that overflow", text + 40, 0xFFFFFFFFFFFFFFF0, 8},
        {"contents over other contents", text + 40, 25, 8},
        {"contents in the header", text + 48, 16, 4},
        {"contents where there are none", data + 64, 1, 4},  // S_ZEROFILL, and relocations
        {"relocations past the end", data + 60, 0x1FFFFFFF, 4},
        {"relocations over the contents", data + 56, object.places["__text"], 4},
        {"a symbol table past the end", symbols + 12, 0x0FFFFFFF, 4},
        {"a symbol table over the strings", symbols + 12, 11, 4},
        {"a symbol table in the relocations", symbols + 8, relocation, 4},
        {"strings past the end", symbols + 20, 0xFFFFFFFF, 4},
        {"no strings", symbols + 20, 0, 4},
        {"a string table without its end", symbols + 20, 75, 4},
        {"a name past the strings", first_symbol, 0xFFFFFFFF, 4},
        {"a section that is not there", first_symbol + 5, 4, 1},
        {"a symbol in no section", first_symbol + 5, 0, 1},
        {"a relocation of no symbol", relocation + 4, 10 | 3U << 25U | 1U << 27U, 4},
        {"a relocation of no section", relocation + 4, 4 | 3U << 25U, 4},
        {"a relocation of a type that there is not", relocation + 4, 1 | 3U << 25U | 1U << 27U | 10U << 28U, 4},
        {"a field past its section", relocation, 25, 4},
        {"a scattered relocation", relocation, 0x80000000, 4},
        {"a group past the symbols", groups + 12, 11, 4},
        {"a group that overflows", groups + 8, 0xFFFFFFFF, 4},
        {"a module table", groups + 44, 1, 4},
        {"relocations of a linked file", groups + 68, 1, 4},
        {"indirect symbols past the end", groups + 60, 0x3FFFFFFF, 4},
        {"an indirect symbol that is not there", object.places["indirect"], 10, 4},
    };
    for (const auto& [what, offset, number, size] : lies) {
        std::string lying = whole;
        overwrite(lying, offset, number, size);
        EXPECT_EQ(refusal(lying), not_whole) << what;
    }
}

TEST(MachoObject, DamageIsRefusedOrGivesAnObject) {
    const std::string whole = with_everything().bytes();
    std::mt19937 random(4);
    unsigned refused = 0;
    for (unsigned round = 0; round < 20'000; ++round) {
        std::string damaged = whole;
        for (unsigned change = 0; change <= random() % 3; ++change) {
            damaged[random() % damaged.size()] = static_cast<char>(random() % 4 == 0 ? 0xFF : random());
        }
        const std::string answer = refusal(damaged);
        refused += answer == not_whole ? 1 : 0;
        if (answer == "taken") {
            const std::string once = trim(damaged);
            ASSERT_EQ(refusal(once), "taken") << round;
            ASSERT_LE(once.size(), 2 * whole.size()) << round;
        } else {
            ASSERT_EQ(answer, not_whole) << round;
        }
    }
    EXPECT_GT(refused, 5'000U);
    EXPECT_LT(refused, 19'000U);
}

}  // namespace
}  // namespace nasm_build::toolchain
