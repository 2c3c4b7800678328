// Which source lines refer to a symbol. The expected lines are found in the source's text, not counted by hand.
#include "inspect/read/object.hpp"

#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

/// The number of the line of a sample source that holds `text`.
unsigned line_of(const std::string& source, std::string_view text) {
    std::ifstream stream(std::string(NASM_BUILD_SAMPLE_SOURCES) + "/" + source);
    unsigned number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        if (line.find(text) != std::string::npos) {
            return number;
        }
    }
    ADD_FAILURE() << source << " has no line with " << text;
    return 0;
}

std::string text_of(const Reference& reference) {
    std::ostringstream text;
    const std::size_t slash = reference.file.rfind('/');
    text << (slash == std::string::npos ? reference.file : reference.file.substr(slash + 1)) << ":" << reference.line
         << " " << reference.relocation << " " << reference.section;
    return text.str();
}

std::vector<std::string> texts_of(const std::vector<Reference>& references) {
    std::vector<std::string> texts;
    for (const Reference& reference : references) {
        texts.push_back(text_of(reference));
    }
    return texts;
}

std::string at(const std::string& source, std::string_view text, const std::string& rest) {
    return source + ":" + std::to_string(line_of(source, text)) + " " + rest;
}

}  // namespace

TEST(Object, EveryReferenceHasItsLineAndRelocation) {
    const std::string direct = std::to_string(line_of("lines.asm", "call    PyLong_FromLong wrt ..plt") + 1);
    EXPECT_EQ(texts_of(references(sample("lines.o"), "PyLong_FromLong")),
              (std::vector<std::string>{
                  ":0 R_X86_64_64 .data",  // data has no line
                  at("lines.asm", "call    PyLong_FromLong wrt ..plt", "R_X86_64_PLT32 .text"),
                  "lines.asm:" + direct + " R_X86_64_PC32 .text",
                  at("lines.asm", "[rel PyLong_FromLong wrt ..got]", "R_X86_64_GOTPCREL .text"),
                  at("lines.asm", "mov     rax, PyLong_FromLong", "R_X86_64_64 .text"),
                  at("lines.asm", "mov     eax, PyLong_FromLong", "R_X86_64_32 .text"),
              }));
}

TEST(Object, IncludedFilesAndOtherSectionsHaveLines) {
    const auto found = texts_of(references(sample("lines.o"), "PyErr_Occurred"));
    EXPECT_EQ(found, (std::vector<std::string>{
                         at("lines.asm", "jmp     PyErr_Occurred", "R_X86_64_PLT32 .other"),
                         at("lines.inc", "call    PyErr_Occurred", "R_X86_64_PLT32 .text"),
                     }));
}

TEST(Object, OffsetsAreThoseOfReadelf) {
    Names expected;
    for (const auto& words : words_of(output_of("readelf -rW " + sample_path("lines.o")))) {
        if (words.size() > 4 && words[4] == "PyLong_FromLong") {
            expected.insert(std::to_string(std::stoull(words[0], nullptr, 16)) + " " + words[2]);
        }
    }
    Names found;
    for (const Reference& reference : references(sample("lines.o"), "PyLong_FromLong")) {
        found.insert(std::to_string(reference.offset) + " " + reference.relocation);
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(found.size(), 6U);
}

TEST(Object, WithoutDebugDataThereAreNoLines) {
    const std::vector<Reference> found = references(sample("lines_plain.o"), "PyLong_FromLong");
    EXPECT_EQ(found.size(), 6U);
    for (const Reference& reference : found) {
        EXPECT_EQ(reference.file, "");
        EXPECT_EQ(reference.line, 0U);
    }
}

TEST(Object, ManySymbolsInOnePass) {
    const std::vector<std::string> wanted = {"PyErr_Occurred", "PyLong_FromLong", "nobody"};
    const ReferencesBySymbol found = references(sample("lines.o"), wanted);
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found.at("PyErr_Occurred").size(), 2U);
    EXPECT_EQ(found.at("PyLong_FromLong").size(), 6U);
    EXPECT_TRUE(found.at("nobody").empty());
}

TEST(Object, UndefinedSymbolsWithReferences) {
    const ReferencesBySymbol found = references_to_undefined(sample("lines.o"));
    Names names;
    for (const auto& [name, list] : found) {
        names.insert(name + " " + std::to_string(list.size()));
    }
    EXPECT_EQ(names, (Names{"PyErr_Occurred 2", "PyLong_FromLong 6"}));
}

class CompiledObject : public testing::TestWithParam<int> {};

TEST_P(CompiledObject, HasLinesOfEveryVersionOfDwarf) {
    const std::string name = "calls_" + std::to_string(GetParam()) + ".o";
    const auto version =
        words_of(output_of("readelf --debug-dump=rawline " + sample_path(name) + " | grep 'DWARF Version'"));
    // gcc writes line tables of version 3 for -gdwarf-2 too.
    EXPECT_EQ(version.at(0).back(), std::to_string(std::max(GetParam(), 3)));
    EXPECT_EQ(texts_of(references(sample(name), "wanted")),
              (std::vector<std::string>{"calls.c:2 R_X86_64_PLT32 .text", "calls.c:5 R_X86_64_PLT32 .text"}));
}

INSTANTIATE_TEST_SUITE_P(Versions, CompiledObject, testing::Values(2, 3, 4, 5));

TEST(Object, DamagedLinesGiveReferencesWithoutLines) {
    const Bytes good = sample("lines.o");
    const auto sections = static_cast<std::size_t>(number_at<std::uint64_t>(good, 40));
    const std::size_t count = number_at<std::uint16_t>(good, 60);
    std::size_t damaged = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t header = sections + i * 64;
        if (number_at<std::uint32_t>(good, header + 4) != 1 || number_at<std::uint64_t>(good, header + 8) != 0) {
            continue;
        }
        Bytes bytes = good;
        const auto offset = static_cast<std::size_t>(number_at<std::uint64_t>(good, header + 24));
        const auto size = static_cast<std::size_t>(number_at<std::uint64_t>(good, header + 32));
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, std::byte{0xFF});
        EXPECT_EQ(references(bytes, "PyLong_FromLong").size(), 6U);
        damaged += references(bytes, "PyLong_FromLong").at(1).line == 0 ? 1U : 0U;
    }
    EXPECT_EQ(damaged, 1U);  // .debug_line is one of the sections of debug data
}

TEST(Object, OtherFilesAreRefused) {
    const auto refused = [](const Bytes& bytes) {
        return message_of([&] { static_cast<void>(references(bytes, "x")); });
    };
    EXPECT_EQ(refused({}), "the object is empty");
    EXPECT_EQ(refused(bytes_of("global x\n")), "the file is text, not an ELF object");
    EXPECT_EQ(refused(sample("module_win.obj")), "the file is a COFF object, not an ELF object");
    EXPECT_EQ(refused(sample("module.so")), "the file is a linked ELF file, not an object");
    EXPECT_EQ(refused(sample("plain32.o")), "the object is for x86, not for x86-64");
    EXPECT_EQ(refused(sample("arm64_elf.o")), "the object is for arm64, not for x86-64");
}

}  // namespace nasm_build::inspect::test
