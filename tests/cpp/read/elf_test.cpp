// ELF modules, compared with what readelf says of the same file, and with what their sources say.
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

/// readelf's word for a kind of symbol.
std::string readelf_type(SymbolKind kind) {
    switch (kind) {
        case SymbolKind::untyped:
            return "NOTYPE";
        case SymbolKind::function:
            return "FUNC";
        case SymbolKind::object:
            return "OBJECT";
        case SymbolKind::thread_local_object:
            return "TLS";
        case SymbolKind::indirect_function:
            return "IFUNC";
        case SymbolKind::other:
            return "other";
    }
    return "";
}

/// Every dynamic symbol as one line: `E name address type`, `I name@version weak`.
Names symbols_by_readelf(const std::string& path) {
    Names found;
    for (auto words : words_of(output_of("readelf -W --dyn-syms " + path))) {
        // Num: Value Size Type Bind Vis Ndx Name[@VERSION] [(n)]
        if (words.size() < 8 || words[0].back() != ':' || words[0] == "Num:") {
            continue;
        }
        if (words[3] == "<OS") {  // "<OS specific>: 10": LLVM's linker leaves the OS out of the header
            words.erase(words.begin() + 4, words.begin() + 6);
            words[3] = "IFUNC";
        }
        const bool weak = words[4] == "WEAK";
        if (words[6] == "UND") {
            found.insert("I " + words[7] + (weak ? " weak" : ""));
        } else {
            std::ostringstream line;
            line << "E " << words[7].substr(0, words[7].find('@')) << " " << std::stoull(words[1], nullptr, 16) << " "
                 << std::stoull(words[2], nullptr, 0) << " " << words[3] << (weak ? " weak" : "");
            found.insert(line.str());
        }
    }
    return found;
}

Names symbols_of(const Image& image) {
    Names found;
    for (const Import& import : image.imports) {
        found.insert("I " + import.name + (import.version.empty() ? "" : "@" + import.version) +
                     (import.weak ? " weak" : ""));
    }
    for (const Export& each : image.exports) {
        std::ostringstream line;
        line << "E " << each.name << " " << each.address << " " << each.size << " " << readelf_type(each.kind)
             << (each.weak ? " weak" : "");
        found.insert(line.str());
    }
    return found;
}

std::size_t segment_header(const Bytes& bytes, std::uint32_t type) {
    const auto table = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, 32));
    const std::size_t count = number_at<std::uint16_t>(bytes, 56);
    for (std::size_t i = 0; i < count; ++i) {
        if (number_at<std::uint32_t>(bytes, table + i * 56) == type) {
            return table + i * 56;
        }
    }
    ADD_FAILURE() << "no segment of type " << type;
    return 0;
}

constexpr std::uint32_t pt_note = 4;
constexpr std::uint32_t pt_gnu_stack = 0x6474E551;

}  // namespace

class ElfModule : public testing::TestWithParam<const char*> {};

TEST_P(ElfModule, HasTheSymbolsThatReadelfShows) {
    EXPECT_EQ(symbols_of(read_sample(GetParam())), symbols_by_readelf(sample_path(GetParam())));
}

TEST_P(ElfModule, HasTheSegmentsThatReadelfShows) {
    const Image image = read_sample(GetParam());
    std::vector<std::string> expected;
    for (const auto& words : words_of(output_of("readelf -lW " + sample_path(GetParam())))) {
        if (words.size() < 8 || words[0] != "LOAD") {
            continue;
        }
        std::string flags;  // "R E" and "RW" come as one or two words
        for (std::size_t i = 6; i + 1 < words.size(); ++i) {
            flags += words[i];
        }
        expected.push_back(words[2] + " " + words[5] + " " + flags);
    }
    std::vector<std::string> found;
    for (const MemoryRange& range : image.memory) {
        char text[80];
        const int digits = image.pointer_bits / 4;
        std::snprintf(text, sizeof text, "0x%0*llx 0x%0*llx %s%s%s", digits,
                      static_cast<unsigned long long>(range.address), image.pointer_bits == 64 ? 6 : 5,
                      static_cast<unsigned long long>(range.size), range.readable ? "R" : "", range.writable ? "W" : "",
                      range.executable ? "E" : "");
        found.push_back(text);
    }
    EXPECT_EQ(found, expected);
}

INSTANTIATE_TEST_SUITE_P(Samples, ElfModule,
                         testing::Values("module.so", "module_sysv.so", "module_relr.so", "module_stripped.so",
                                         "plain.so", "textrel.so", "hidden.so", "plain32.so", "arm64_elf.so", "program",
                                         "program_pie"));

TEST(Elf, CModule) {
    const Image image = read_sample("module.so");
    EXPECT_EQ(image.format, Format::elf);
    EXPECT_EQ(image.machine, Machine::x86_64);
    EXPECT_EQ(image.pointer_bits, 64U);
    EXPECT_EQ(image.kind, FileKind::shared_library);
    EXPECT_EQ(image.soname, "libmodule.so.1");
    EXPECT_EQ(image.run_paths, (std::vector<std::string>{"/opt/first", "/opt/second"}));
    EXPECT_EQ(names_of(image.libraries), (Names{"libm.so.6", "ld-linux-x86-64.so.2"}));
    EXPECT_EQ(image.stack, Stack::not_executable);
    EXPECT_FALSE(image.claims_text_relocations);
    EXPECT_TRUE(image.text_relocations.empty());
    EXPECT_EQ(image.file_size, sample("module.so").size());
    EXPECT_EQ(find_named(image.imports, "cos")->version, "GLIBC_2.2.5");
    EXPECT_TRUE(find_named(image.imports, "perhaps_there")->weak);
    EXPECT_EQ(section_name(image, find_named(image.exports, "PyInit_module")->address), ".text");
    EXPECT_TRUE(is_executable(image, find_named(image.exports, "PyInit_module")->address));
    EXPECT_FALSE(is_executable(image, find_named(image.exports, "shared_table")->address));
}

TEST(Elf, NasmModuleWithoutTypes) {
    const Image image = read_sample("plain.so");
    EXPECT_EQ(names_of(image.exports), Names{"PyInit_plain"});
    EXPECT_EQ(image.exports[0].kind, SymbolKind::untyped);
    EXPECT_EQ(names_of(image.imports), (Names{"PyLong_FromLong", "PyModule_Create2"}));
    EXPECT_TRUE(image.libraries.empty());
    ASSERT_EQ(image.hidden.size(), 1U);
    EXPECT_EQ(image.hidden[0].name, "PyInit_forgotten");
    EXPECT_EQ(image.hidden[0].why, HiddenBecause::local);
}

TEST(Elf, HiddenEntryPointsHaveTheirReasons) {
    const Image image = read_sample("hidden.so");
    EXPECT_EQ(names_of(image.exports), Names{"PyInit_found"});
    EXPECT_EQ(names_of(image.hidden), (Names{"PyInit_local", "PyInit_hidden", "PyModExport_versioned"}));
    EXPECT_EQ(find_named(image.hidden, "PyInit_local")->why, HiddenBecause::local);
    EXPECT_EQ(find_named(image.hidden, "PyInit_hidden")->why, HiddenBecause::visibility);
    EXPECT_EQ(find_named(image.hidden, "PyModExport_versioned")->why, HiddenBecause::visibility);
}

TEST(Elf, TextRelocations) {
    const Image image = read_sample("textrel.so");
    EXPECT_TRUE(image.claims_text_relocations);
    ASSERT_EQ(image.text_relocations.size(), 2U);
    const std::uint64_t start = find_named(image.exports, "PyInit_textrel")->address;
    Names found;
    for (const TextRelocation& each : image.text_relocations) {
        found.insert(std::to_string(each.address - start) + " " + each.symbol);
    }
    EXPECT_EQ(found, (Names{"2 PyLong_FromLong", "12 "}));
}

TEST(Elf, StackOfAModule) {
    EXPECT_EQ(read_sample("module_sysv.so").stack, Stack::executable);
    EXPECT_EQ(read_sample("plain32.so").stack, Stack::missing);
    EXPECT_EQ(read_sample("module.o").stack, Stack::not_applicable);
}

TEST(Elf, TheLastOfSeveralStackHeadersCounts) {
    Bytes bytes = sample("module.so");
    const std::size_t note = segment_header(bytes, pt_note);
    ASSERT_LT(note, segment_header(bytes, pt_gnu_stack));
    set_number<std::uint32_t>(bytes, note, pt_gnu_stack);
    set_number<std::uint32_t>(bytes, note + 4, 7);
    EXPECT_EQ(read_images(bytes).at(0).stack, Stack::not_executable);
    set_number<std::uint32_t>(bytes, segment_header(sample("module.so"), pt_gnu_stack) + 4, 7);
    set_number<std::uint32_t>(bytes, note + 4, 6);
    EXPECT_EQ(read_images(bytes).at(0).stack, Stack::executable);
}

TEST(Elf, SectionHeadersMayBeMissing) {
    const Image whole = read_sample("module.so");
    const Image stripped = read_sample("module_sectionless.so");
    EXPECT_EQ(symbols_of(stripped), symbols_of(whole));
    EXPECT_EQ(names_of(stripped.libraries), names_of(whole.libraries));
    EXPECT_TRUE(stripped.sections.empty());
    EXPECT_TRUE(is_executable(stripped, find_named(stripped.exports, "PyInit_module")->address));
}

TEST(Elf, OtherMachines) {
    EXPECT_EQ(read_sample("plain32.so").machine, Machine::x86);
    EXPECT_EQ(read_sample("plain32.so").pointer_bits, 32U);
    EXPECT_EQ(read_sample("arm64_elf.so").machine, Machine::arm64);
}

TEST(Elf, OtherKindsOfFiles) {
    EXPECT_EQ(read_sample("program").kind, FileKind::executable);
    EXPECT_EQ(read_sample("program_pie").kind, FileKind::executable);
    EXPECT_EQ(read_sample("module.o").kind, FileKind::object);
}

}  // namespace nasm_build::inspect::test
