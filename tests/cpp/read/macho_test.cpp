// Mach-O modules, compared with what llvm-nm and llvm-objdump say of the same file.
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

std::string llvm(const std::string& program, const std::string& words, std::string_view name) {
    return output_of("$(command -v " + program + " || command -v " + program + "-14) " + words + " " +
                     sample_path(name));
}

/// The names in llvm-nm's output: the last word of each line.
Names nm(const std::string& words, std::string_view name) {
    Names names;
    for (const auto& line : words_of(llvm("llvm-nm", words, name))) {
        if (!line.empty()) {
            names.insert(line.back());
        }
    }
    return names;
}

/// As the file has them: the reader takes the underscore away.
Names stored_names(const std::vector<Import>& imports) {
    Names names;
    for (const Import& import : imports) {
        names.insert((import.missing_underscore ? "" : "_") + import.name);
    }
    return names;
}

}  // namespace

class MachoModule : public testing::TestWithParam<const char*> {};

TEST_P(MachoModule, HasTheSymbolsThatNmShows) {
    const Image image = read_sample(GetParam());
    EXPECT_EQ(stored_names(image.imports), nm("--undefined-only --just-symbol-name", GetParam()));
    Names external;
    for (const Export& each : image.exports) {
        external.insert("_" + each.name);
    }
    for (const HiddenSymbol& each : image.hidden) {
        if (each.why == HiddenBecause::missing_underscore) {
            external.insert(each.name);
        }
    }
    EXPECT_EQ(external, nm("--defined-only --extern-only --just-symbol-name", GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Samples, MachoModule, testing::Values("module_mac.so", "module_mac.dylib", "arm64_macho.so"));

TEST(Macho, Bundle) {
    const Image image = read_sample("module_mac.so");
    EXPECT_EQ(image.format, Format::macho);
    EXPECT_EQ(image.machine, Machine::x86_64);
    EXPECT_EQ(image.kind, FileKind::bundle);
    EXPECT_EQ(image.slice, "");
    EXPECT_EQ(image.platform, "macos");
    EXPECT_EQ(image.minimum_system, "10.13");
    EXPECT_EQ(image.run_paths, std::vector<std::string>{"@loader_path/lib"});
    EXPECT_EQ(image.stack, Stack::not_applicable);
    const Export* entry = find_named(image.exports, "PyInit_module_mac");
    ASSERT_NE(entry, nullptr);
    EXPECT_TRUE(is_executable(image, entry->address));
    EXPECT_EQ(section_name(image, entry->address), "__TEXT,__text");
    EXPECT_EQ(names_of(image.memory), (Names{"__TEXT", "__DATA", "__LINKEDIT"}));
}

TEST(Macho, Library) {
    const Image image = read_sample("module_mac.dylib");
    EXPECT_EQ(image.kind, FileKind::shared_library);
    EXPECT_EQ(image.soname, "@rpath/libmodule.dylib");
}

TEST(Macho, ImportsKnowWhereTheyAreLookedUp) {
    const Image image = read_sample("module_mac.so");
    const Import* flat = find_named(image.imports, "PyModule_Create2");
    EXPECT_TRUE(flat->flat);
    EXPECT_EQ(flat->library, "");
    EXPECT_FALSE(flat->missing_underscore);
    const Import* direct = find_named(image.imports, "from_library");
    EXPECT_FALSE(direct->flat);
    EXPECT_EQ(direct->library, "@rpath/liblibrary.dylib");
    EXPECT_FALSE(direct->weak);
    const Import* weak = find_named(image.imports, "from_weak_library");
    EXPECT_EQ(weak->library, "@rpath/libweak.dylib");
    EXPECT_TRUE(weak->weak);
    EXPECT_TRUE(find_named(image.libraries, "@rpath/libweak.dylib")->weak);
    EXPECT_TRUE(find_named(image.imports, "PyLong_FromLong")->missing_underscore);
}

TEST(Macho, HiddenEntryPointsHaveTheirReasons) {
    const Image image = read_sample("module_mac.so");
    EXPECT_EQ(names_of(image.hidden), (Names{"PyInit_bare", "PyModExport_private", "PyInit_local"}));
    EXPECT_EQ(find_named(image.hidden, "PyInit_bare")->why, HiddenBecause::missing_underscore);
    EXPECT_EQ(find_named(image.hidden, "PyModExport_private")->why, HiddenBecause::visibility);
    EXPECT_EQ(find_named(image.hidden, "PyInit_local")->why, HiddenBecause::local);
}

TEST(Macho, FatFileGivesOneImageASlice) {
    const std::vector<Image> images = read_images(sample("fat.so"));
    ASSERT_EQ(images.size(), 2U);
    EXPECT_EQ(images[0].slice, "x86_64");
    EXPECT_EQ(images[0].machine, Machine::x86_64);
    EXPECT_NE(find_named(images[0].exports, "PyInit_module_mac"), nullptr);
    EXPECT_EQ(images[1].slice, "arm64");
    EXPECT_EQ(images[1].machine, Machine::arm64);
    EXPECT_EQ(images[1].minimum_system, "11.0");
    EXPECT_EQ(images[0].file_size, sample("module_mac.so").size());
}

namespace {

/// Where a load command lies.
std::size_t command_of(const Bytes& bytes, std::uint32_t wanted) {
    const auto commands = number_at<std::uint32_t>(bytes, 16);
    std::size_t at = 32;
    for (std::uint32_t i = 0; i < commands; ++i, at += number_at<std::uint32_t>(bytes, at + 4)) {
        if (number_at<std::uint32_t>(bytes, at) == wanted) {
            return at;
        }
    }
    ADD_FAILURE() << "no load command " << wanted;
    return 0;
}

constexpr std::uint32_t uuid = 0x1B, minimum_macos = 0x24, minimum_tvos = 0x2F, build_version = 0x32;

}  // namespace

TEST(Macho, OfSeveralPlatformsMacosCounts) {
    // LC_UUID has the size of a build version without tools.
    Bytes bytes = sample("arm64_macho.so");
    const std::size_t second = command_of(bytes, uuid);
    set_number<std::uint32_t>(bytes, second, build_version);
    set_number<std::uint32_t>(bytes, second + 8, 6);  // PLATFORM_MACCATALYST
    set_number<std::uint32_t>(bytes, second + 12, 14U << 16U);
    set_number<std::uint32_t>(bytes, second + 20, 0);
    const Image both = read_images(bytes).at(0);
    EXPECT_EQ(both.platform, "macos");
    EXPECT_EQ(both.minimum_system, "11.0");
    set_number<std::uint32_t>(bytes, command_of(sample("arm64_macho.so"), build_version) + 8, 2);  // PLATFORM_IOS
    EXPECT_NE(read_images(bytes).at(0).platform, "macos");
}

TEST(Macho, OtherSystemsOfAppleAreTold) {
    Bytes bytes = sample("module_mac.so");
    set_number<std::uint32_t>(bytes, command_of(bytes, minimum_macos), minimum_tvos);
    const Image image = read_images(bytes).at(0);
    EXPECT_EQ(image.platform, "tvos");
    EXPECT_EQ(image.minimum_system, "10.13");
    EXPECT_FALSE(image.macho.chained_fixups);
}

TEST(Macho, DebugSymbolsAreAKindOfTheirOwn) {
    Bytes bytes = sample("module_mac.so");
    set_number<std::uint32_t>(bytes, 12, 10);  // MH_DSYM
    EXPECT_EQ(read_images(bytes).at(0).kind, FileKind::debug_symbols);
}

TEST(Macho, TheTrieDecidesWhatIsFoundByName) {
    // Without LC_SYMTAB's symbols the exports come from the trie, and the imports from the binds.
    Bytes bytes = sample("module_mac.so");
    const std::size_t commands = number_at<std::uint32_t>(bytes, 16);
    for (std::size_t i = 0, at = 32; i < commands; ++i, at += number_at<std::uint32_t>(bytes, at + 4)) {
        if (number_at<std::uint32_t>(bytes, at) == 0x2) {
            set_number<std::uint32_t>(bytes, at + 12, 0);
        }
    }
    const Image stripped = read_images(bytes).at(0);
    const Image whole = read_sample("module_mac.so");
    EXPECT_EQ(names_of(stripped.exports), names_of(whole.exports));
    EXPECT_EQ(stored_names(stripped.imports), stored_names(whole.imports));
    EXPECT_EQ(find_named(stripped.exports, "PyInit_module_mac")->address,
              find_named(whole.exports, "PyInit_module_mac")->address);
    EXPECT_TRUE(find_named(stripped.imports, "PyModule_Create2")->flat);
    EXPECT_EQ(find_named(stripped.imports, "from_library")->library, "@rpath/liblibrary.dylib");
    EXPECT_EQ(names_of(stripped.hidden), Names{"PyInit_bare"});
}

}  // namespace nasm_build::inspect::test
