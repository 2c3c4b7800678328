// PE modules, compared with what llvm-readobj says of the same file.
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

/// The values of `key` in llvm-readobj's output: `Symbol: PyLong_FromLong (1)` without what follows.
std::vector<std::string> values_of(const std::string& text, std::string_view key) {
    std::vector<std::string> values;
    for (const auto& words : words_of(text)) {
        if (words.size() >= 2 && words[0] == key) {
            values.push_back(words[1]);
        }
    }
    return values;
}

std::string readobj(const std::string& words, std::string_view name) {
    return output_of("$(command -v llvm-readobj || command -v llvm-readobj-14) " + words + " " + sample_path(name));
}

Names sorted(const std::vector<std::string>& values) {
    return {values.begin(), values.end()};
}

}  // namespace

class PeModule : public testing::TestWithParam<const char*> {};

TEST_P(PeModule, HasTheImportsThatReadobjShows) {
    const Image image = read_sample(GetParam());
    const std::string text = readobj("--coff-imports", GetParam());
    EXPECT_EQ(names_of(image.imports), sorted(values_of(text, "Symbol:")));
    EXPECT_EQ(names_of(image.libraries), sorted(values_of(text, "Name:")));
}

TEST_P(PeModule, HasTheSectionsThatReadobjShows) {
    const Image image = read_sample(GetParam());
    std::vector<std::string> names;
    for (const MemoryRange& range : image.memory) {
        names.push_back(range.name);
    }
    EXPECT_EQ(names, values_of(readobj("--sections", GetParam()), "Name:"));
}

INSTANTIATE_TEST_SUITE_P(Samples, PeModule, testing::Values("module_win.pyd", "module_win32.pyd", "arm64_pe.pyd"));

TEST(Pe, Module) {
    const Image image = read_sample("module_win.pyd");
    EXPECT_EQ(image.format, Format::pe);
    EXPECT_EQ(image.machine, Machine::x86_64);
    EXPECT_EQ(image.kind, FileKind::shared_library);
    EXPECT_EQ(image.soname, "module_win.pyd");
    EXPECT_EQ(image.stack, Stack::not_applicable);
    EXPECT_EQ(find_named(image.imports, "PyLong_FromLong")->library, "python313.dll");
    EXPECT_FALSE(find_named(image.libraries, "python313.dll")->delayed);
    EXPECT_TRUE(is_executable(image, find_named(image.exports, "PyInit_module_win")->address));
    EXPECT_EQ(section_name(image, find_named(image.exports, "PyInit_module_win")->address), ".text");
}

TEST(Pe, DelayedImports) {
    const Image image = read_sample("module_win.pyd");
    EXPECT_TRUE(find_named(image.libraries, "late.dll")->delayed);
    EXPECT_EQ(find_named(image.imports, "late_one")->library, "late.dll");
    EXPECT_EQ(find_named(image.imports, "late_two")->library, "late.dll");
}

TEST(Pe, ExportsByOrdinalAndForwarders) {
    const Image image = read_sample("module_win.pyd");
    EXPECT_EQ(names_of(image.exports), (Names{"PyInit_module_win", "forwarded"}));
    EXPECT_EQ(find_named(image.exports, "forwarded")->forwarded_to, "other.target");
    ASSERT_EQ(image.hidden.size(), 1U);
    EXPECT_EQ(image.hidden[0].name, "#7");
    EXPECT_EQ(image.hidden[0].why, HiddenBecause::ordinal_only);
    EXPECT_EQ(sorted(values_of(readobj("--coff-exports", "module_win.pyd"), "Name:")), names_of(image.exports));
}

TEST(Pe, OtherMachines) {
    EXPECT_EQ(read_sample("module_win32.pyd").machine, Machine::x86);
    EXPECT_EQ(read_sample("module_win32.pyd").pointer_bits, 32U);
    EXPECT_EQ(names_of(read_sample("module_win32.pyd").exports), Names{"PyInit_module_win32"});
    EXPECT_EQ(read_sample("arm64_pe.pyd").machine, Machine::arm64);
    EXPECT_EQ(names_of(read_sample("arm64_pe.pyd").exports), Names{"PyInit_arm64_pe"});
}

}  // namespace nasm_build::inspect::test
