// Import libraries byte by byte, as Microsoft's PE format specification describes them (sections 7 and 8). That linkers
// and LLVM's tools read them so too is shown in tests/python/test_import_library.py.
#include "toolchain/import_library.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "toolchain/coff_symbols.hpp"

namespace nasm_build::toolchain {
namespace {

struct Member {
    std::size_t offset = 0;  // of its header
    std::string name;
    std::string header;
    std::string content;
};

std::uint64_t little(std::string_view bytes, std::size_t offset, std::size_t size) {
    std::uint64_t number = 0;
    for (std::size_t index = size; index > 0; --index) {
        number = number << 8U | static_cast<unsigned char>(bytes.at(offset + index - 1));
    }
    return number;
}

std::uint32_t big(std::string_view bytes, std::size_t offset) {
    std::uint32_t number = 0;
    for (std::size_t index = 0; index < 4; ++index) {
        number = number << 8U | static_cast<unsigned char>(bytes.at(offset + index));
    }
    return number;
}

// The archive's members, the two indices and the long names among them.
std::vector<Member> members_of(const std::string& archive) {
    EXPECT_EQ(archive.substr(0, 8), "!<arch>\n");
    std::vector<Member> members;
    std::size_t place = 8;
    while (place < archive.size()) {
        Member member;
        member.offset = place;
        member.header = archive.substr(place, 60);
        EXPECT_EQ(member.header.substr(58), "`\n");
        member.name = member.header.substr(0, 16);
        member.name.erase(member.name.find_last_not_of(' ') + 1);
        const std::size_t size = std::stoul(member.header.substr(48, 10));
        member.content = archive.substr(place + 60, size);
        EXPECT_EQ(member.content.size(), size);
        place += 60 + size;
        if (place % 2 != 0) {
            EXPECT_EQ(archive.at(place), '\n');
            ++place;
        }
        members.push_back(std::move(member));
    }
    return members;
}

// The zero-terminated texts of an index, from `offset` to its end.
std::vector<std::string> texts(const std::string& index, std::size_t offset) {
    std::vector<std::string> found;
    while (offset < index.size()) {
        found.emplace_back(index.c_str() + offset);
        offset += found.back().size() + 1;
    }
    EXPECT_EQ(offset, index.size());
    return found;
}

// What the first index says: each symbol with its member's place.
std::vector<std::pair<std::string, std::size_t>> first_index(const Member& member) {
    const std::size_t count = big(member.content, 0);
    const std::vector<std::string> names = texts(member.content, 4 + 4 * count);
    EXPECT_EQ(names.size(), count);
    std::vector<std::pair<std::string, std::size_t>> index;
    for (std::size_t number = 0; number < count; ++number) {
        index.emplace_back(names.at(number), big(member.content, 4 + 4 * number));
    }
    return index;
}

std::vector<std::pair<std::string, std::size_t>> sorted(std::vector<std::pair<std::string, std::size_t>> index) {
    std::sort(index.begin(), index.end());
    return index;
}

// What the second index says, in the same form.
std::vector<std::pair<std::string, std::size_t>> second_index(const Member& member, std::vector<std::size_t>& places) {
    const std::size_t members = little(member.content, 0, 4);
    for (std::size_t number = 0; number < members; ++number) {
        places.push_back(little(member.content, 4 + 4 * number, 4));
    }
    const std::size_t table = 4 + 4 * members;
    const std::size_t count = little(member.content, table, 4);
    const std::vector<std::string> names = texts(member.content, table + 4 + 2 * count);
    EXPECT_EQ(names.size(), count);
    std::vector<std::pair<std::string, std::size_t>> index;
    for (std::size_t number = 0; number < count; ++number) {
        index.emplace_back(names.at(number), places.at(little(member.content, table + 4 + 2 * number, 2) - 1));
    }
    return index;
}

const std::vector<ImportName> three{
    {"Beta", ImportKind::function}, {"Gamma_Type", ImportKind::variable}, {"alpha", ImportKind::function, "_alpha64"}};

std::vector<std::string> names_in(const std::string& object) {
    std::vector<std::string> names;
    for (const std::string_view name : defined_names(std::as_bytes(std::span(object)))) {
        names.emplace_back(name);
    }
    return names;
}

TEST(ImportLibrary, IsAnArchiveWhoseTwoIndicesAgree) {
    const std::string library = import_library("python313.dll", three);
    const std::vector<Member> members = members_of(library);
    ASSERT_EQ(members.size(), 2U + 3U + 3U + 2U);
    EXPECT_EQ(members[0].name, "/");
    EXPECT_EQ(members[1].name, "/");
    std::vector<std::size_t> places;
    const auto first = first_index(members[0]);
    EXPECT_TRUE(std::is_sorted(first.begin(), first.end(),
                               [](const auto& left, const auto& right) { return left.second < right.second; }));
    EXPECT_EQ(second_index(members[1], places), sorted(first));
    std::vector<std::size_t> expected;
    for (std::size_t number = 2; number < members.size(); ++number) {
        EXPECT_EQ(members[number].name, "python313.dll/");
        EXPECT_EQ(members[number].offset % 2, 0U);
        expected.push_back(members[number].offset);
    }
    EXPECT_EQ(places, expected);
    const std::vector<std::pair<std::string, std::size_t>> wanted{
        {"Beta", expected[3]},
        {"__IMPORT_DESCRIPTOR_python313", expected[0]},
        {"__NULL_IMPORT_DESCRIPTOR", expected[1]},
        {"__imp_Beta", expected[3]},
        {"__imp_Gamma_Type", expected[4]},  // and no `Gamma_Type`, which would read code as a value
        {"__imp__alpha64", expected[5]},
        {"__imp_alpha", expected[6]},
        {"_alpha64", expected[5]},
        {"alpha", expected[7]},
        {"\x7fpython313_NULL_THUNK_DATA", expected[2]},
    };
    EXPECT_EQ(sorted(first), wanted);
}

TEST(ImportLibrary, HoldsNoTimeAndNoOwner) {
    for (const Member& member : members_of(import_library("python313.dll", three))) {
        EXPECT_EQ(member.header.substr(16, 32), "0           0     0     644     ") << member.name;
        EXPECT_EQ(member.name == "/" ? 0U : little(member.content, little(member.content, 0, 2) == 0 ? 8 : 4, 4), 0U);
    }
}

TEST(ImportLibrary, NamesEachExportInAShortImport) {
    const std::vector<Member> members = members_of(import_library("python313.dll", three));
    const auto expect = [&](std::size_t number, unsigned type, const std::string& name) {
        const std::string& content = members.at(number).content;
        const std::string names = name + '\0' + "python313.dll" + '\0';
        EXPECT_EQ(little(content, 0, 2), 0U);  // what no machine is numbered
        EXPECT_EQ(little(content, 2, 2), 0xFFFFU);
        EXPECT_EQ(little(content, 4, 2), 0U);  // the version
        EXPECT_EQ(little(content, 6, 2), 0x8664U);
        EXPECT_EQ(little(content, 12, 4), names.size());
        EXPECT_EQ(little(content, 16, 2), 0U);  // the hint
        EXPECT_EQ(little(content, 18, 2), type | 1U << 2U) << name;  // by name
        EXPECT_EQ(content.substr(20), names);
    };
    expect(5, 0, "Beta");
    expect(6, 1, "Gamma_Type");
    expect(7, 0, "_alpha64");
}

TEST(ImportLibrary, MakesOfAnotherNameAnAlias) {
    const std::vector<Member> members = members_of(import_library("python313.dll", three));
    for (const auto& [number, symbol, name] :
         {std::tuple{8U, "__imp__alpha64", "__imp_alpha"}, std::tuple{9U, "_alpha64", "alpha"}}) {
        const std::string& object = members.at(number).content;
        EXPECT_EQ(little(object, 0, 2), 0x8664U);
        EXPECT_EQ(little(object, 2, 2), 0U);  // no section
        ASSERT_EQ(little(object, 8, 4), 20U);
        ASSERT_EQ(little(object, 12, 4), 3U);  // the symbol, the weak one and the record behind it
        const auto name_at = [&](std::size_t place) {
            return little(object, place, 4) == 0 ? std::string(object.c_str() + 74 + little(object, place + 4, 4))
                                                 : std::string(object.substr(place, 8).c_str());
        };
        EXPECT_EQ(name_at(20), symbol);
        EXPECT_EQ(little(object, 28, 8), 0U);  // it is somewhere else
        EXPECT_EQ(little(object, 36, 1), 2U);  // external
        EXPECT_EQ(little(object, 37, 1), 0U);
        EXPECT_EQ(name_at(38), name);
        EXPECT_EQ(little(object, 54, 1), 0x69U);  // a weak external
        EXPECT_EQ(little(object, 55, 1), 1U);
        EXPECT_EQ(little(object, 56, 4), 0U);  // the first symbol
        EXPECT_EQ(little(object, 60, 4), 3U);  // IMAGE_WEAK_EXTERN_SEARCH_ALIAS
        EXPECT_EQ(object.substr(64, 10), std::string(10, '\0'));
    }
}

TEST(ImportLibrary, ImportsAnExportOnceHoweverManyNamesItHas) {
    const std::vector<ImportName> names{{"_time64", ImportKind::function},
                                        {"now", ImportKind::function, "_time64"},
                                        {"time", ImportKind::function, "_time64"}};
    const std::vector<Member> members = members_of(import_library("clock.dll", names));
    const auto imports = std::count_if(members.begin(), members.end(), [](const Member& member) {
        return member.name == "clock.dll/" && little(member.content, 0, 4) == 0xFFFF0000U;
    });
    EXPECT_EQ(imports, 1);
    EXPECT_EQ(members.size(), 2U + 3U + 1U + 2U * 2U);
}

TEST(ImportLibrary, DescribesTheDllInThreeObjects) {
    const std::vector<Member> members = members_of(import_library("python313.dll", three));
    const std::string& descriptor = members.at(2).content;
    EXPECT_EQ(names_in(descriptor), std::vector<std::string>{"__IMPORT_DESCRIPTOR_python313"});
    EXPECT_EQ(names_in(members.at(3).content), std::vector<std::string>{"__NULL_IMPORT_DESCRIPTOR"});
    EXPECT_EQ(names_in(members.at(4).content), std::vector<std::string>{"\x7fpython313_NULL_THUNK_DATA"});

    ASSERT_EQ(little(descriptor, 2, 2), 2U);
    EXPECT_EQ(descriptor.substr(20, 8), ".idata$2");
    EXPECT_EQ(descriptor.substr(60, 8), ".idata$6");
    EXPECT_EQ(little(descriptor, 20 + 36, 4), 0xC0300040U);  // data, read and written, in pieces of four bytes
    EXPECT_EQ(little(descriptor, 60 + 36, 4), 0xC0200040U);
    const std::size_t text = little(descriptor, 60 + 20, 4);
    EXPECT_EQ(descriptor.substr(text, little(descriptor, 60 + 16, 4)), (std::string{"python313.dll\0", 14}));
    // The row's three addresses: of the DLL's name, and of the two tables of imports.
    const std::size_t relocations = little(descriptor, 20 + 24, 4);
    ASSERT_EQ(little(descriptor, 20 + 32, 2), 3U);
    const std::map<std::uint64_t, std::string> wanted{{12, ".idata$6"}, {0, ".idata$4"}, {16, ".idata$5"}};
    for (std::size_t number = 0; number < 3; ++number) {
        const std::size_t relocation = relocations + 10 * number;
        const std::size_t symbol = little(descriptor, 8, 4) + 18 * little(descriptor, relocation + 4, 4);
        EXPECT_EQ(descriptor.substr(symbol, 8), wanted.at(little(descriptor, relocation, 4)));
        EXPECT_EQ(little(descriptor, relocation + 8, 2), 3U);  // IMAGE_REL_AMD64_ADDR32NB
    }
}

TEST(ImportLibrary, KeepsALongNameOfADllInAMemberOfItsOwn) {
    const std::string dll = "api-ms-win-crt-string-l1-1-0.dll";
    const std::vector<ImportName> names{{"strlen", ImportKind::function}};
    const std::vector<Member> members = members_of(import_library(dll, names));
    ASSERT_EQ(members.size(), 2U + 1U + 3U + 1U);
    EXPECT_EQ(members[2].name, "//");
    EXPECT_EQ(members[2].content, dll + '\0');
    std::vector<std::size_t> places;
    EXPECT_EQ(sorted(first_index(members[0])), second_index(members[1], places));
    for (std::size_t number = 3; number < members.size(); ++number) {
        EXPECT_EQ(members[number].name, "/0");
        EXPECT_EQ(members[number].offset, places.at(number - 3));
    }
    EXPECT_EQ(members[6].content.substr(20), std::string("strlen") + '\0' + dll + '\0');
    // Of 15 letters it still has room beside the slash that ends it; of 16 no more.
    EXPECT_EQ(members_of(import_library("elevenletr.dll2", names)).at(2).name, "elevenletr.dll2/");
    EXPECT_EQ(members_of(import_library("elevenletr.dll16", names)).at(2).name, "//");
}

TEST(ImportLibrary, PutsEveryMemberAtAnEvenPlace) {
    // Names of odd and even lengths make contents of odd and even sizes.
    for (const std::string dll : {"a.dll", "ab.dll", "a-name-of-many-letters.dll", "a-name-of-more-letters2.dll"}) {
        for (const char* name : {"x", "xy", "xyz"}) {
            const std::vector<ImportName> names{{name, ImportKind::function}, {"z", ImportKind::variable}};
            const std::string library = import_library(dll, names);
            EXPECT_EQ(library.size() % 2, 0U);
            std::vector<std::size_t> places;
            const std::vector<Member> members = members_of(library);
            EXPECT_EQ(sorted(first_index(members.at(0))), second_index(members.at(1), places));
            for (const Member& member : members) {
                EXPECT_EQ(member.offset % 2, 0U) << dll << ' ' << name;
            }
        }
    }
}

TEST(ImportLibrary, IsTheSameEachTime) {
    EXPECT_EQ(import_library("python313.dll", three), import_library("python313.dll", three));
    EXPECT_NE(import_library("python313.dll", three), import_library("python312.dll", three));
}

TEST(ImportLibrary, OfNothingIsStillALibrary) {
    const std::vector<Member> members = members_of(import_library("empty.dll", {}));
    ASSERT_EQ(members.size(), 5U);
    EXPECT_EQ(first_index(members[0]).size(), 3U);
}

}  // namespace
}  // namespace nasm_build::toolchain
