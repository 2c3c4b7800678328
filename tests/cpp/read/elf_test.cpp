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
constexpr std::uint32_t pt_tls = 7;
constexpr std::uint32_t pt_gnu_property = 0x6474E553;
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
                                         "plain.so", "textrel.so", "hidden.so", "loading.so", "loading_plain.so",
                                         "plain32.so", "arm64_elf.so", "program", "program_pie"));

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
    ASSERT_FALSE(image.needed_versions.empty());
    EXPECT_TRUE(std::any_of(image.needed_versions.begin(), image.needed_versions.end(), [](const NeededVersion& one) {
        return one.library == "libm.so.6" && one.version == "GLIBC_2.2.5" && !one.weak;
    }));
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

// What readelf shows of the same file: its dynamic table, its program headers, its notes, its relocations.
bool readelf_shows(const char* name, const char* words, const std::string& text) {
    return output_of(std::string("readelf -W ") + words + " " + sample_path(name)).find(text) != std::string::npos;
}

TEST(Elf, WhatTheLoaderIsTold) {
    const ElfFacts facts = read_sample("loading.so").elf;
    EXPECT_TRUE(readelf_shows("loading.so", "-d", "BIND_NOW STATIC_TLS") && facts.binds_at_load &&
                facts.claims_static_thread_storage);
    EXPECT_TRUE(readelf_shows("loading.so", "-d", "NOOPEN") && facts.refuses_dlopen);
    EXPECT_TRUE(readelf_shows("loading.so", "-l", "GNU_RELRO") && facts.has_read_only_relocations);
    EXPECT_TRUE(readelf_shows("loading.so", "-n", "x86 feature: SHSTK") && facts.properties.x86_shadow_stack);
    EXPECT_FALSE(facts.properties.x86_branch_tracking);
    EXPECT_TRUE(readelf_shows("loading.so", "-n", "x86 ISA needed: x86-64-v3"));
    EXPECT_EQ(facts.properties.x86_isa_needed, 4U);
    ASSERT_TRUE(facts.thread_storage);
    EXPECT_EQ((std::pair{facts.thread_storage->size, facts.thread_storage->alignment}),
              (std::pair<std::uint64_t, std::uint64_t>{100, 32}));
    EXPECT_TRUE(facts.places_own_storage_statically);
    EXPECT_EQ(facts.indirect_relocations, 1U);
    EXPECT_EQ(facts.indirect_symbol, "by_name");
    EXPECT_TRUE(facts.has_late_bindings);
    EXPECT_FALSE(facts.has_packed_relocations || facts.has_fixed_address || facts.is_position_independent_program);
    EXPECT_EQ(facts.os_abi, 3U);  // GNU ld marks a file with an ifunc so
    for (const LoadSegment& segment : facts.loads) {
        EXPECT_EQ(segment.alignment, 4096U);
    }
}

TEST(Elf, WhatTheLoaderIsNotTold) {
    const ElfFacts facts = read_sample("loading_plain.so").elf;
    // The flag is there, for the data of another library: no place of its own is asked for.
    EXPECT_TRUE(facts.claims_static_thread_storage);
    EXPECT_FALSE(facts.places_own_storage_statically || facts.thread_storage);
    EXPECT_FALSE(facts.binds_at_load || facts.refuses_dlopen || facts.has_read_only_relocations);
    EXPECT_TRUE(facts.has_late_bindings);
    EXPECT_EQ(facts.indirect_relocations, 0U);
    EXPECT_EQ(facts.indirect_symbol, "");
    EXPECT_EQ(facts.properties.x86_isa_needed, 0U);
    EXPECT_FALSE(facts.properties.x86_shadow_stack);
    EXPECT_EQ(facts.os_abi, 0U);
    ASSERT_FALSE(facts.loads.empty());
    for (const LoadSegment& segment : facts.loads) {
        EXPECT_EQ(segment.alignment, 8192U);
        EXPECT_EQ((segment.address - segment.file_offset) % 8192, 0U);
    }
}

TEST(Elf, KindsOfProgramsAreToldApart) {
    EXPECT_TRUE(read_sample("program").elf.has_fixed_address);
    EXPECT_FALSE(read_sample("program").elf.is_position_independent_program);
    EXPECT_TRUE(read_sample("program_pie").elf.is_position_independent_program);
    EXPECT_FALSE(read_sample("program_pie").elf.has_fixed_address);
}

TEST(Elf, PackedRelocations) {
    EXPECT_FALSE(read_sample("module.so").elf.has_packed_relocations);
    const ElfFacts bare = read_sample("module_relr.so").elf;
    EXPECT_TRUE(bare.has_packed_relocations && bare.needs_symbol_versions);
    EXPECT_FALSE(bare.needs_packed_relocations_mark);
    const ElfFacts marked = read_sample("packed.so").elf;
    EXPECT_TRUE(marked.has_packed_relocations && marked.needs_packed_relocations_mark);
    EXPECT_TRUE(readelf_shows("packed.so", "-V", "GLIBC_ABI_DT_RELR"));
}

TEST(Elf, MarksOfArm64) {
    const GnuProperties marks = read_sample("arm64_marks.so").elf.properties;
    EXPECT_TRUE(marks.arm64_branch_targets && marks.arm64_pointer_authentication);
    EXPECT_FALSE(marks.x86_shadow_stack);
    EXPECT_FALSE(read_sample("arm64_elf.so").elf.properties.arm64_branch_targets);
}

// glibc looks at PT_GNU_PROPERTY first, and at PT_NOTE where there is none; it passes over a note of another alignment.
TEST(Elf, WhereThePropertyNoteIsLookedFor) {
    const Bytes whole = sample("loading.so");
    Bytes bytes = whole;
    set_number<std::uint32_t>(bytes, segment_header(bytes, pt_gnu_property), 0);
    EXPECT_TRUE(read_images(bytes).at(0).elf.properties.x86_shadow_stack);
    set_number<std::uint32_t>(bytes, segment_header(bytes, pt_note), 0);
    EXPECT_FALSE(read_images(bytes).at(0).elf.properties.x86_shadow_stack);
    bytes = whole;
    set_number<std::uint64_t>(bytes, segment_header(bytes, pt_gnu_property) + 48, 4);
    set_number<std::uint32_t>(bytes, segment_header(bytes, pt_note), 0);
    EXPECT_FALSE(read_images(bytes).at(0).elf.properties.x86_shadow_stack);
}

TEST(Elf, APropertyThatReachesPastItsNoteIsDamage) {
    Bytes bytes = sample("loading.so");
    const auto note =
        static_cast<std::size_t>(number_at<std::uint64_t>(bytes, segment_header(bytes, pt_gnu_property) + 8));
    set_number<std::uint32_t>(bytes, note + 16 + 4, 0x7FFFFFF0);
    EXPECT_EQ(refusal(bytes), "the file is damaged: its property 0xc0000002 reaches past the end of its note");
}

TEST(Elf, EmptyThreadStorageIsNone) {
    Bytes bytes = sample("loading.so");
    set_number<std::uint64_t>(bytes, segment_header(bytes, pt_tls) + 40, 0);
    EXPECT_FALSE(read_images(bytes).at(0).elf.thread_storage);
}

TEST(Elf, ATableMayLieInTwoSegmentsThatFollowEachOther) {
    constexpr std::size_t size = 56, type = 0, offset = 8, address = 16, physical = 24, in_file = 32, in_memory = 40;
    Bytes bytes = sample("module.so");
    const Image whole = read_sample("module.so");
    const auto table = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, 32));
    const auto count = number_at<std::uint16_t>(bytes, 56);
    const auto names = number_at<std::uint64_t>(bytes, elf_dynamic_entry(bytes, 5) + 8);  // DT_STRTAB
    const auto of_type = [&](std::uint32_t wanted) {
        std::size_t at = table;
        while (number_at<std::uint32_t>(bytes, at + type) != wanted) {
            at += size;
        }
        return at;
    };
    const std::size_t first = of_type(1), note = of_type(4);  // PT_LOAD, PT_NOTE
    ASSERT_LT(first, note);
    ASSERT_LT(note, table + count * size);
    const std::uint64_t from = number_at<std::uint64_t>(bytes, first + address), kept = names + 8 - from;
    ASSERT_LT(kept, number_at<std::uint64_t>(bytes, first + in_file));
    // The rest of the first segment becomes a second one, in the place of a note's header.
    Bytes second(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                 bytes.begin() + static_cast<std::ptrdiff_t>(first + size));
    for (const std::size_t field : {offset, address, physical}) {
        set_number(second, field, number_at<std::uint64_t>(second, field) + kept);
    }
    for (const std::size_t field : {in_file, in_memory}) {
        set_number(second, field, number_at<std::uint64_t>(second, field) - kept);
        set_number(bytes, first + field, kept);
    }
    std::memmove(bytes.data() + first + 2 * size, bytes.data() + first + size, note - first - size);
    std::memcpy(bytes.data() + first + size, second.data(), size);
    const std::vector<Image> images = read_images(bytes);
    ASSERT_EQ(images.size(), 1U);
    EXPECT_EQ(images.front().exports.size(), whole.exports.size());
    EXPECT_EQ(images.front().exports.front().name, whole.exports.front().name);
    // Where memory goes on and the file does not, a table has an end.
    set_number(bytes, first + in_memory, kept - 1);
    set_number(bytes, first + in_file, kept - 1);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the table of dynamic names does not lie in a loaded segment");
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
