// What memory holds once the loader is done, and where the code of entry points leads: in each format, for both machines.
#include <algorithm>

#include "inspect/memory.hpp"
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

/// A sample whose bytes live as long as its Image: contents are views of them.
struct Kept {
    explicit Kept(std::string_view name) : bytes(sample(name)), images(read_images(bytes)) {}

    [[nodiscard]] const Image& image() const { return images.at(0); }

    Bytes bytes;
    std::vector<Image> images;
};

/// The one table that a sample's entry point hands to PyModule_Create2.
std::uint64_t only_table(const Image& image) {
    EXPECT_EQ(image.entry_code.missing, "");
    EXPECT_EQ(image.entry_code.uses.size(), 1U);
    if (image.entry_code.uses.size() != 1) {
        return 0;
    }
    EXPECT_EQ(image.entry_code.uses[0].kind, TableKind::definition_at_once);
    return image.entry_code.uses[0].address;
}

}  // namespace

TEST(Contents, OfALibraryAreGatheredWhenTheyAreAskedFor) {
    for (const char* name : {"plain.so", "module_win.pyd"}) {
        Bytes bytes = sample(name);
        constexpr std::string_view prefix = "PyInit";
        const auto* const begin = prefix.data();
        for (auto at = bytes.begin();; ++at) {
            at = std::search(at, bytes.end(), begin, begin + prefix.size(),
                             [](std::byte one, char other) { return static_cast<char>(one) == other; });
            if (at == bytes.end()) {
                break;
            }
            *at = std::byte{'Q'};
        }
        EXPECT_TRUE(read_images(bytes).at(0).contents.pieces.empty()) << name;
        EXPECT_FALSE(read_images(bytes, {.contents_of_all = true}).at(0).contents.pieces.empty()) << name;
    }
}

class TableThatIsHandedOver : public testing::TestWithParam<std::pair<const char*, const char*>> {};

// Each of these sources hands over a table whose first word is the address of the entry point.
TEST_P(TableThatIsHandedOver, IsFoundAndHoldsAnAddress) {
    const auto& [name, entry] = GetParam();
    const Kept kept(name);
    const Image& image = kept.image();
    const std::uint64_t table = only_table(image);
    const auto word = word_at(image, table);
    ASSERT_TRUE(word);
    EXPECT_EQ(word->kind, Word::Kind::address);
    ASSERT_NE(find_named(image.exports, entry), nullptr);
    EXPECT_EQ(word->value, find_named(image.exports, entry)->address);
    EXPECT_TRUE(is_writable(image, table));
}

INSTANTIATE_TEST_SUITE_P(OfEachFormat, TableThatIsHandedOver,
                         testing::Values(std::pair{"plain.so", "PyInit_plain"},
                                         std::pair{"arm64_pe.pyd", "PyInit_arm64_pe"}));

// The source gives the page of the table alone.
TEST(EntryCode, OfArm64IsFollowedThroughTheLinkersStubs) {
    for (const char* const name : {"arm64_elf.so", "arm64_macho.so"}) {
        const Kept kept(name);
        EXPECT_EQ(only_table(kept.image()) % 4096, 0U) << name;
        EXPECT_NE(only_table(kept.image()), 0U) << name;
    }
}

TEST(Contents, OfAWordWithPartsOfAddressesAreTorn) {
    const Kept kept("plain.so");
    const auto word = word_at(kept.image(), only_table(kept.image()) - 4);
    ASSERT_TRUE(word);
    EXPECT_EQ(word->kind, Word::Kind::torn);
}

// Compiled code with a condition before the call: both ways are followed.
TEST(EntryCode, IsFollowedThroughBranches) {
    const Kept kept("module.so");
    const std::uint64_t table = only_table(kept.image());
    EXPECT_EQ(table, find_named(kept.image().exports, "shared_table")->address);
    EXPECT_EQ(number_at(kept.image(), table + 4, 4), 2U);
}

TEST(EntryCode, OfOtherMachinesIsNotFollowed) {
    const Kept kept("plain32.so");
    EXPECT_EQ(kept.image().entry_code.missing, "the code is for x86, and the tables of 32-bit modules are not read");
}

TEST(Contents, AreNotGatheredWithoutAnEntryPoint) {
    const Kept kept("textrel.so");
    const bool has_entry = !kept.image().exports.empty() && kept.image().exports.front().name.starts_with("PyInit_");
    EXPECT_EQ(kept.image().contents.pieces.empty(), !has_entry);
}

TEST(Contents, EndWhereMemoryEnds) {
    const Kept kept("plain.so");
    EXPECT_EQ(word_at(kept.image(), UINT64_MAX - 3), std::nullopt);
    EXPECT_EQ(number_at(kept.image(), 0x7FFFFFFF0000, 4), std::nullopt);
    EXPECT_EQ(text_at(kept.image(), 0x7FFFFFFF0000), std::nullopt);
}

}  // namespace nasm_build::inspect::test
