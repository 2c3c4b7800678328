// Chained fixups, which LLVM 14's linker does not write: a Mach-O file built by hand from <mach-o/loader.h> and
// <mach-o/fixup-chains.h>, with no symbols in LC_SYMTAB.
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

class Builder {
public:
    template <typename T>
    Builder& add(T value) {
        const auto* first = reinterpret_cast<const std::byte*>(&value);
        bytes_.insert(bytes_.end(), first, first + sizeof value);
        return *this;
    }
    Builder& words(std::initializer_list<std::uint32_t> values) {
        for (const std::uint32_t value : values) {
            add(value);
        }
        return *this;
    }
    Builder& text(std::string_view value, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) {
            bytes_.push_back(static_cast<std::byte>(i < value.size() ? value[i] : '\0'));
        }
        return *this;
    }
    Builder& pad_to(std::size_t size) {
        bytes_.resize(size);
        return *this;
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] const Bytes& bytes() const { return bytes_; }

private:
    Bytes bytes_;
};

constexpr std::uint32_t page = 0x1000;

void add_segment(Builder& file, std::string_view name, std::uint64_t index, std::uint32_t protection) {
    file.words({0x19, 72}).text(name, 16);
    file.add<std::uint64_t>(index * page)
        .add<std::uint64_t>(page)
        .add<std::uint64_t>(index * page)
        .add<std::uint64_t>(page);
    file.words({protection, protection, 0, 0});
}

/// Imports in format 1: ordinal 1, flat look-up and weak, and the starts of the fixups of one page of __DATA.
Bytes chained_fixups(std::uint32_t format, std::uint32_t patched_segment) {
    constexpr std::string_view names("\0_from_library\0_PyLong_FromLong\0", 32);
    const std::uint32_t entry = format == 1 ? 4 : format == 2 ? 8 : 16;
    constexpr std::uint32_t starts = 28;
    constexpr std::uint32_t starts_of_segment = starts + 4 + 3 * 4;
    constexpr std::uint32_t imports = starts_of_segment + 24;
    Builder data;
    data.words({0, starts, imports, imports + 2 * entry, 2, format, 0});
    data.add<std::uint32_t>(3);
    for (std::uint32_t segment = 0; segment < 3; ++segment) {
        data.add<std::uint32_t>(segment == patched_segment ? starts_of_segment - starts : 0);
    }
    data.add<std::uint32_t>(24).add<std::uint16_t>(page).add<std::uint16_t>(6).add<std::uint64_t>(page);
    data.add<std::uint32_t>(0).add<std::uint16_t>(1).add<std::uint16_t>(8);
    const auto add_import = [&](std::int64_t ordinal, bool weak, std::uint64_t name) {
        if (format == 3) {
            data.add<std::uint64_t>((static_cast<std::uint64_t>(ordinal) & 0xFFFFU) | (weak ? 1U << 16U : 0U) |
                                    name << 32U);
            data.add<std::uint64_t>(0);
            return;
        }
        data.add<std::uint32_t>(static_cast<std::uint32_t>((static_cast<std::uint64_t>(ordinal) & 0xFFU) |
                                                           (weak ? 0x100U : 0U) | name << 9U));
        if (format == 2) {
            data.add<std::uint32_t>(0);
        }
    };
    add_import(1, false, 1);
    add_import(-2, true, 15);
    data.text(names, names.size());
    return data.bytes();
}

Bytes module_with(const Bytes& fixups) {
    constexpr std::string_view library = "@rpath/liblibrary.dylib";
    Builder commands;
    add_segment(commands, "__TEXT", 0, 5);
    add_segment(commands, "__DATA", 1, 3);
    add_segment(commands, "__LINKEDIT", 2, 1);
    commands.words({0xC, 24 + 24, 24, 0, 0, 0}).text(library, 24);
    commands.words({0x80000034, 16, 2 * page, static_cast<std::uint32_t>(fixups.size())});
    Builder file;
    file.words({0xFEEDFACF, 0x01000007, 3, 8, 5, static_cast<std::uint32_t>(commands.size()), 0x85, 0});
    for (const std::byte byte : commands.bytes()) {
        file.add(byte);
    }
    file.pad_to(std::size_t{2} * page);
    for (const std::byte byte : fixups) {
        file.add(byte);
    }
    file.pad_to(std::size_t{3} * page);
    return file.bytes();
}

}  // namespace

class ChainedFixups : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ChainedFixups, GiveTheImportsThatTheSymbolTableLacks) {
    const Image image = read_images(module_with(chained_fixups(GetParam(), 1))).at(0);
    ASSERT_EQ(names_of(image.imports), (Names{"from_library", "PyLong_FromLong"}));
    const Import* direct = find_named(image.imports, "from_library");
    EXPECT_EQ(direct->library, "@rpath/liblibrary.dylib");
    EXPECT_FALSE(direct->flat);
    EXPECT_FALSE(direct->weak);
    const Import* flat = find_named(image.imports, "PyLong_FromLong");
    EXPECT_TRUE(flat->flat);
    EXPECT_TRUE(flat->weak);
    EXPECT_TRUE(image.text_relocations.empty());
    EXPECT_TRUE(image.macho.chained_fixups);
}

INSTANTIATE_TEST_SUITE_P(Formats, ChainedFixups, testing::Values(1U, 2U, 3U));

TEST(ChainedFixupsOf, CodeAreTextRelocations) {
    const Image image = read_images(module_with(chained_fixups(1, 0))).at(0);
    ASSERT_EQ(image.text_relocations.size(), 1U);
    EXPECT_EQ(image.text_relocations[0].address, 8U);
}

TEST(ChainedFixupsOf, DamagedFilesAreRefused) {
    Bytes fixups = chained_fixups(1, 1);
    set_number<std::uint32_t>(fixups, 16, 1000);
    EXPECT_EQ(refusal(module_with(fixups)),
              "the file is cut or damaged: the table of chained imports ends at byte 4068, but the file has 108 bytes");
    fixups = chained_fixups(1, 1);
    set_number<std::uint32_t>(fixups, 20, 9);
    EXPECT_EQ(refusal(module_with(fixups)), "the file is damaged: its chained imports have the unknown format 9");
    fixups = chained_fixups(1, 1);
    set_number<std::uint32_t>(fixups, 28, 50);
    EXPECT_EQ(refusal(module_with(fixups)), "the file is damaged: its chained fixups have 50 segments of 3");
}

}  // namespace nasm_build::inspect::test
