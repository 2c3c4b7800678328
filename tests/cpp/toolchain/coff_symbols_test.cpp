// COFF objects made here, byte by byte, whole and damaged; objects of NASM's are in tests/python/test_import_library.py.
#include "toolchain/coff_symbols.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace nasm_build::toolchain {
namespace {

constexpr std::uint8_t external = 2;
constexpr std::uint8_t internal = 3;

struct Symbol {
    std::string name;
    std::uint16_t section = 1;
    std::uint8_t storage_class = external;
    std::vector<std::string> auxiliary{};  // records of 18 bytes
};

struct Relocation {
    std::uint32_t offset = 0;
    std::uint32_t symbol = 0;
    std::uint16_t type = 2;  // IMAGE_REL_AMD64_ADDR32
};

struct Section {
    std::string name;
    std::vector<Relocation> relocations{};
    bool overflows = false;  // the number of relocations stands in the first of them
};

void put(std::string& bytes, std::uint64_t number, std::size_t size) {
    for (std::size_t index = 0; index < size; ++index) {
        bytes += static_cast<char>(number >> (8 * index));
    }
}

void overwrite(std::string& bytes, std::size_t offset, std::uint64_t number, std::size_t size) {
    std::string field;
    put(field, number, size);
    bytes.replace(offset, size, field);
}

// A name in a field of eight bytes: itself, or for a long one what `field` makes of its place among the strings.
std::string short_field(const std::string& name) {
    std::string field = name;
    field.resize(8, '\0');
    return field;
}

struct Object {
    std::string bytes;
    std::size_t symbols = 0;  // where the symbol table starts
    std::size_t strings = 0;
};

Object object(const std::vector<Symbol>& symbols, const std::vector<Section>& sections = {}) {
    std::string strings;
    const auto place = [&](const std::string& name) {
        strings += name + '\0';
        return 4 + strings.size() - name.size() - 1;
    };
    std::string headers;
    std::string content;
    const std::size_t content_start = 20 + 40 * sections.size();
    for (const Section& section : sections) {
        headers += short_field(section.name.size() <= 8 ? section.name : "/" + std::to_string(place(section.name)));
        put(headers, 0, 16);
        put(headers, content_start + content.size(), 4);
        put(headers, 0, 4);
        put(headers, section.overflows ? 0xFFFF : section.relocations.size(), 2);
        put(headers, 0, 2);
        put(headers, section.overflows ? 0x01000000 : 0, 4);
        for (const Relocation& relocation : section.relocations) {
            put(content, relocation.offset, 4);
            put(content, relocation.symbol, 4);
            put(content, relocation.type, 2);
        }
    }
    std::string table;
    std::size_t records = 0;
    for (const Symbol& symbol : symbols) {
        if (symbol.name.size() <= 8) {
            table += short_field(symbol.name);
        } else {
            put(table, 0, 4);
            put(table, place(symbol.name), 4);
        }
        put(table, 0, 4);
        put(table, symbol.section, 2);
        put(table, 0, 2);
        put(table, symbol.storage_class, 1);
        put(table, symbol.auxiliary.size(), 1);
        for (const std::string& record : symbol.auxiliary) {
            table += record;
        }
        records += 1 + symbol.auxiliary.size();
    }
    Object made;
    put(made.bytes, 0x8664, 2);
    put(made.bytes, sections.size(), 2);
    put(made.bytes, 0, 4);
    put(made.bytes, content_start + content.size(), 4);
    put(made.bytes, records, 4);
    put(made.bytes, 0, 4);
    made.symbols = content_start + content.size();
    made.strings = made.symbols + table.size();
    made.bytes += headers + content + table;
    put(made.bytes, 4 + strings.size(), 4);
    made.bytes += strings;
    return made;
}

std::span<const std::byte> view(const std::string& bytes) {
    return std::as_bytes(std::span(bytes));
}

std::vector<std::string> names_of(const std::string& bytes) {
    const std::vector<std::string_view> names = defined_names(view(bytes));
    return {names.begin(), names.end()};
}

// How an object is refused, by either question.
std::string refusal(const std::string& bytes) {
    std::string texts;
    for (const bool is_first : {true, false}) {
        try {
            if (is_first) {
                (void)defined_names(view(bytes));
            } else {
                (void)short_references(view(bytes));
            }
            texts += "|";
        } catch (const Error& error) {
            texts += std::string(error.what()) + "; " + error.fix() + "|";
        }
    }
    return texts;
}

const std::string refused =
    "is no whole COFF object for x86-64; assemble it with nasm -f win64, or compile it for x86-64|";

const std::string record(18, 'r');

TEST(DefinedNames, AreTheExternalOnesOfTheObjectSorted) {
    const std::string bytes = object({{.name = "PyInit_demo"},
                                      {.name = ".text", .storage_class = internal},
                                      {.name = "local", .storage_class = internal},
                                      {.name = "PyLong_FromLong", .section = 0},
                                      {.name = "absolute", .section = 0xFFFF},
                                      {.name = "debug", .section = 0xFFFE},
                                      {.name = "answer"},
                                      {.name = "B", .section = 2}})
                                  .bytes;
    EXPECT_EQ(names_of(bytes), (std::vector<std::string>{"B", "PyInit_demo", "answer"}));
}

TEST(DefinedNames, FillAFieldOrLieAmongTheStrings) {
    const std::string long_name(5000, 'n');
    const std::string bytes = object({{.name = "12345678"}, {.name = "123456789"}, {.name = long_name}}).bytes;
    EXPECT_EQ(names_of(bytes), (std::vector<std::string>{"12345678", "123456789", long_name}));
}

TEST(DefinedNames, StepOverAuxiliaryRecords) {
    // A record that looks like a symbol: external, in section 1.
    std::string like_a_symbol = short_field("ghost");
    put(like_a_symbol, 0, 4);
    put(like_a_symbol, 1, 2);
    put(like_a_symbol, 0, 2);
    put(like_a_symbol, external, 1);
    put(like_a_symbol, 0, 1);
    const std::string bytes =
        object({{.name = ".file", .section = 0xFFFE, .storage_class = 0x67, .auxiliary = {like_a_symbol, record}},
                {.name = "first", .auxiliary = {like_a_symbol}},
                {.name = "second"}})
            .bytes;
    EXPECT_EQ(names_of(bytes), (std::vector<std::string>{"first", "second"}));
}

TEST(DefinedNames, OfAnObjectWithoutSymbolsAreNone) {
    EXPECT_TRUE(names_of(object({}).bytes).empty());
}

TEST(DefinedNames, RefuseWhatIsNoObject) {
    EXPECT_EQ(refusal(""), refused + refused);
    EXPECT_EQ(refusal("\x64"), refused + refused);
    EXPECT_EQ(refusal("\x7f"
                      "ELF and much more of it, so that it is no matter of length"),
              refused + refused);
    EXPECT_EQ(refusal("MZ" + std::string(200, '\0')), refused + refused);
    std::string other = object({{.name = "name"}}).bytes;
    overwrite(other, 0, 0xAA64, 2);  // arm64
    EXPECT_EQ(refusal(other), refused + refused);
}

TEST(DefinedNames, RefuseEveryCutButOfTheStringsThatNobodyNames) {
    const Object whole = object({{.name = "PyInit_demo"}, {.name = "short"}},
                                {{.name = ".a_section_with_a_long_name", .relocations = {{.offset = 1, .symbol = 1}}}});
    ASSERT_EQ(refusal(whole.bytes), "||");
    for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
        EXPECT_NE(refusal(whole.bytes.substr(0, size)), "||") << size;
    }
}

TEST(DefinedNames, RefuseATableThatLiesElsewhere) {
    const Object whole = object({{.name = "PyInit_demo"}, {.name = "short"}});
    for (const auto& [offset, number] :
         std::vector<std::pair<std::size_t, std::uint64_t>>{{8, 0},  // the table would be the header
                                                            {8, 19},
                                                            {8, 0xFFFFFFFF},
                                                            {8, whole.bytes.size() + 1},
                                                            {12, 0xFFFFFFFF},
                                                            {12, 4}}) {  // more than fit
        std::string damaged = whole.bytes;
        overwrite(damaged, offset, number, 4);
        EXPECT_EQ(refusal(damaged), refused + refused) << offset << ' ' << number;
    }
}

TEST(DefinedNames, RefuseANameThatLiesElsewhereOrHasNoEnd) {
    const Object whole = object({{.name = "PyInit_demo"}});
    for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{0xFFFFFFFF},
                                      std::uint64_t{whole.bytes.size() - whole.strings}}) {
        std::string damaged = whole.bytes;
        overwrite(damaged, whole.symbols + 4, place, 4);
        EXPECT_EQ(refusal(damaged), refused + "|") << place;
    }
    std::string endless = whole.bytes;
    endless.back() = 'x';
    EXPECT_EQ(refusal(endless), refused + "|");
}

TEST(DefinedNames, RefuseAuxiliaryRecordsBeyondTheTable) {
    Object whole = object({{.name = "first", .auxiliary = {record}}, {.name = "second"}});
    overwrite(whole.bytes, whole.symbols + 2 * 18 + 17, 1, 1);
    EXPECT_EQ(refusal(whole.bytes), refused + "|");
}

TEST(ShortReferences, AreTheAbsoluteOnesOf32Bits) {
    const std::string bytes =
        object({{.name = "table"}, {.name = "a_longer_name"}},
               {{.name = ".text",
                 .relocations = {{.offset = 0x10, .symbol = 1},
                                 {.offset = 0x20, .symbol = 0, .type = 1},  // 64 bits
                                 {.offset = 0x30, .symbol = 0, .type = 3},  // from the image's start
                                 {.offset = 0x40, .symbol = 0, .type = 4}}},  // from the next byte
                {.name = ".debug_info", .relocations = {{.offset = 0x50}}},
                {.name = ".debug$S", .relocations = {{.offset = 0x60}}},
                {.name = ".data.of_the_module", .relocations = {{.offset = 0x70}}}})
            .bytes;
    EXPECT_EQ(short_references(view(bytes)),
              (std::vector<ShortReference>{{.symbol = "a_longer_name", .section = ".text", .offset = 0x10},
                                           {.symbol = "table", .section = ".data.of_the_module", .offset = 0x70}}));
}

TEST(ShortReferences, AreFoundBehindMoreThan16BitsCount) {
    std::vector<Relocation> relocations(0x10002, Relocation{.offset = 4, .symbol = 0, .type = 4});
    relocations.front() = {.offset = 0x10002, .symbol = 0, .type = 0};
    relocations.back() = {.offset = 0x1234, .symbol = 0};
    const std::string bytes =
        object({{.name = "far"}}, {{.name = ".text", .relocations = std::move(relocations), .overflows = true}}).bytes;
    EXPECT_EQ(short_references(view(bytes)),
              (std::vector<ShortReference>{{.symbol = "far", .section = ".text", .offset = 0x1234}}));
}

TEST(ShortReferences, RefuseWhatLiesElsewhere) {
    const Object whole = object({{.name = "name"}}, {{.name = ".text", .relocations = {{.offset = 8}}}});
    const std::size_t header = 20;
    for (const auto& [offset, number, size] : std::vector<std::tuple<std::size_t, std::uint64_t, std::size_t>>{
             {2, 0xFFFF, 2},  // sections
             {16, 0xFFFF, 2},  // an optional header before them
             {header + 24, 0xFFFFFFFF, 4},
             {header + 32, 0xFFFF, 2},  // relocations
             {header + 40 + 4, 1, 4}}) {  // the first one's symbol, of one that there is
        std::string damaged = whole.bytes;
        overwrite(damaged, offset, number, size);
        EXPECT_EQ(refusal(damaged), "|" + refused) << offset << ' ' << number;
    }
    std::string long_name = whole.bytes;
    long_name.replace(header, 8, short_field("/9999999"));
    EXPECT_EQ(refusal(long_name), "|" + refused);
    std::string no_number = whole.bytes;
    no_number.replace(header, 8, short_field("/4x"));
    EXPECT_EQ(short_references(view(no_number)).at(0).section, "/4x");
}

TEST(CoffObject, WithAnyByteChangedIsReadOrRefusedAndNothingElse) {
    const Object whole = object({{.name = "PyInit_demo"}, {.name = "second", .auxiliary = {record}}},
                                {{.name = ".text", .relocations = {{.offset = 1, .symbol = 1}}}});
    std::mt19937 random(20261126);
    for (std::size_t offset = 0; offset < whole.bytes.size(); ++offset) {
        for (int turn = 0; turn < 8; ++turn) {
            std::string damaged = whole.bytes;
            damaged[offset] = static_cast<char>(random());
            const std::string text = refusal(damaged);
            EXPECT_TRUE(text == "||" || text == refused + "|" || text == "|" + refused || text == refused + refused)
                << text;
        }
    }
}

TEST(EntryPoint, IsWhatAnInterpreterLooksFor) {
    for (const char* name : {"PyInit_demo", "PyInitU_gr_e_xyz", "PyModExport_demo", "PyModExportU_x"}) {
        EXPECT_TRUE(is_entry_point(name)) << name;
    }
    for (const char* name : {"PyInit", "pyinit_demo", "_PyInit_demo", "initdemo", "PyModDef_demo", ""}) {
        EXPECT_FALSE(is_entry_point(name)) << name;
    }
}

}  // namespace
}  // namespace nasm_build::toolchain
