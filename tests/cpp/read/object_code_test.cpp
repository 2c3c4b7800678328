// The code of objects of all three formats with its source lines, compared byte for byte with what LLVM's tools say of them.
#include <map>
#include <tuple>

#include "inspect/read/object.hpp"
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

/// Offset in the code to `plain.asm:17`.
using LinesByByte = std::map<std::uint64_t, std::string>;

std::string code_sample(const std::string& name) {
    return std::string(NASM_BUILD_CODE_SAMPLES) + "/" + name;
}

std::string base_name(const std::string& path) {
    return path.substr(path.find_last_of("/\\") + 1);
}

/// A place at which a line begins to hold; `line` is 0 where none does any more.
struct Row {
    std::uint64_t offset = 0;
    std::string file;
    unsigned line = 0;
};

LinesByByte spread(std::vector<Row> rows) {
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.offset < b.offset; });
    LinesByByte lines;
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
        for (std::uint64_t at = rows[i].offset; rows[i].line != 0 && at < rows[i + 1].offset; ++at) {
            lines[at] = rows[i].file + ":" + std::to_string(rows[i].line);
        }
    }
    return lines;
}

/// What llvm-dwarfdump says of an object with one section of code.
LinesByByte lines_of_dwarfdump(const std::string& path) {
    std::vector<std::string> files = {""};
    std::vector<Row> rows;
    for (const auto& words :
         words_of(output_of("$(command -v llvm-dwarfdump || command -v llvm-dwarfdump-14) --debug-line " + path))) {
        if (words.size() == 2 && words[0] == "name:") {
            files.push_back(base_name(words[1].substr(1, words[1].size() - 2)));
        } else if (words.size() > 5 && words[0].starts_with("0x")) {
            const bool ends = words.back() == "end_sequence";
            rows.push_back({std::stoull(words[0], nullptr, 16), files.at(std::stoul(words[3])),
                            ends ? 0U : static_cast<unsigned>(std::stoul(words[1]))});
        }
    }
    return spread(std::move(rows));
}

/// What llvm-readobj says of each contribution to an object's lines, by the name of the code's symbol.
std::map<std::string, LinesByByte> contributions_of_readobj(const std::string& path) {
    std::map<std::string, std::vector<Row>> rows;
    std::string symbol;
    std::string file;
    bool is_table = false;  // and not the list of the subsections, which names the symbols as well
    for (const auto& words :
         words_of(output_of("$(command -v llvm-readobj || command -v llvm-readobj-14) --codeview " + path))) {
        if (words.size() < 2) {
            continue;
        }
        is_table = words[0] == "FunctionLineTable" || (is_table && words[0] != "CodeViewDebugInfo");
        if (!is_table) {
            continue;
        }
        if (words[0] == "LinkageName:") {
            symbol = words[1];
        } else if (words[0] == "CodeSize:") {
            rows[symbol].push_back({std::stoull(words[1], nullptr, 16), "", 0});
        } else if (words[0] == "Filename:") {
            file = base_name(words[1]);
        } else if (words[0].starts_with("+0x")) {
            rows[symbol].push_back({std::stoull(words[0].substr(1), nullptr, 16), file, 0});
        } else if (words[0] == "LineNumberStart:") {
            rows[symbol].back().line = static_cast<unsigned>(std::stoul(words[1]));
        }
    }
    std::map<std::string, LinesByByte> lines;
    for (auto& [name, list] : rows) {
        lines[name] = spread(std::move(list));
    }
    return lines;
}

LinesByByte lines_of(const ObjectCode& code) {
    LinesByByte lines;
    for (const ObjectLines& one : code.lines) {
        for (std::uint64_t at = one.begin; at < one.end; ++at) {
            lines[at] = base_name(code.files.at(one.file)) + ":" + std::to_string(one.line);
        }
    }
    return lines;
}

const ObjectSymbol* find_symbol(const ObjectCode& code, std::string_view name) {
    return find_named(code.symbols, name);
}

/// `bytes` with 0xFF over what lies between `offset` and `offset + size`.
Bytes filled(Bytes bytes, std::size_t offset, std::size_t size) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, std::byte{0xFF});
    return bytes;
}

std::size_t lines_in(const std::vector<ObjectCode>& code) {
    std::size_t count = 0;
    for (const ObjectCode& section : code) {
        count += section.lines.size();
    }
    return count;
}

/// Where the text of the section `name` lies in a COFF object: offset and size.
std::pair<std::size_t, std::size_t> coff_section(const Bytes& bytes, std::string_view name) {
    const std::size_t count = number_at<std::uint16_t>(bytes, 2);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t header = 20 + i * 40;
        std::string found(reinterpret_cast<const char*>(bytes.data()) + header, 8);
        found.resize(found.find_last_not_of('\0') + 1);
        if (found == name) {
            return {number_at<std::uint32_t>(bytes, header + 20), number_at<std::uint32_t>(bytes, header + 16)};
        }
    }
    ADD_FAILURE() << name;
    return {};
}

/// Where the section `name` of a Mach-O object lies.
std::pair<std::size_t, std::size_t> macho_section(const Bytes& bytes, std::string_view name) {
    for (std::size_t header = 32 + 72; header + 80 < bytes.size(); header += 80) {
        if (std::string_view(reinterpret_cast<const char*>(bytes.data()) + header, name.size()) == name) {
            return {number_at<std::uint32_t>(bytes, header + 48), number_at<std::uint64_t>(bytes, header + 40)};
        }
    }
    ADD_FAILURE() << name;
    return {};
}

}  // namespace

class ObjectOfFormat : public testing::TestWithParam<std::tuple<const char*, const char*>> {
protected:
    [[nodiscard]] static std::string format() { return std::get<0>(GetParam()); }
    [[nodiscard]] static std::string path() { return code_sample(format() + "/" + std::get<1>(GetParam()) + ".o"); }
};

TEST_P(ObjectOfFormat, HasTheLinesThatLlvmReads) {
    const Bytes bytes = load(path());
    const std::vector<ObjectCode> code = code_of_object(bytes);
    ASSERT_EQ(code.size(), 1U);
    const LinesByByte expected =
        format() == "pe" ? contributions_of_readobj(path()).at(".text") : lines_of_dwarfdump(path());
    EXPECT_EQ(lines_of(code[0]), expected);
    EXPECT_GT(expected.size(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Formats, ObjectOfFormat,
                         testing::Combine(testing::Values("elf", "macho", "pe"),
                                          testing::Values("plain", "pymult", "counter")));

class PlainObject : public testing::TestWithParam<const char*> {
protected:
    const Bytes bytes_ = load(code_sample(std::string(GetParam()) + "/plain.o"));
    const std::vector<ObjectCode> code_ = code_of_object(bytes_);
};

TEST_P(PlainObject, HasTheSymbolsOfItsSource) {
    const ObjectCode& code = code_.at(0);
    ASSERT_NE(find_symbol(code, "kernel"), nullptr);
    EXPECT_TRUE(find_symbol(code, "kernel")->is_global);
    ASSERT_NE(find_symbol(code, "helper"), nullptr);
    EXPECT_FALSE(find_symbol(code, "helper")->is_global);
    EXPECT_EQ(find_symbol(code, "PyLong_FromLong"), nullptr) << "it is defined elsewhere";
    EXPECT_EQ(find_symbol(code, "definition"), nullptr) << "it is data";
    EXPECT_EQ(std::to_integer<unsigned>(code.bytes[find_symbol(code, "kernel")->offset]), 0x53U) << "push rbx";
}

TEST_P(PlainObject, NamesItsFilesWithTheirFolders) {
    const std::string folder = NASM_BUILD_CODE_SAMPLE_SOURCES;
    const std::vector<std::string>& files = code_.at(0).files;
    EXPECT_EQ(std::set<std::string>(files.begin(), files.end()),
              (std::set<std::string>{folder + "/plain.asm", folder + "/include/plain.inc"}));
}

TEST_P(PlainObject, MarksWhatTheLinkerWritesAndNothingElse) {
    const ObjectCode& code = code_.at(0);
    std::size_t patched = 0;
    for (std::size_t at = 0; at < code.bytes.size(); ++at) {
        patched += code.is_patched[at] ? 1U : 0U;
    }
    EXPECT_EQ(patched, 5U * 4U) << "the table's address and four calls and jumps out of the module";
    const std::size_t kernel = find_symbol(code, "kernel")->offset;
    EXPECT_TRUE(code.is_patched[kernel - 1]) << "the end of the jump out of PyInit_plain";
    EXPECT_FALSE(code.is_patched[kernel]);
}

TEST_P(PlainObject, KeepsItsCodeWithoutLinesWhenThoseAreDamaged) {
    const std::string format = GetParam();
    std::pair<std::size_t, std::size_t> debug;
    if (format == "pe") {
        debug = coff_section(bytes_, ".debug$S");
    } else if (format == "macho") {
        debug = macho_section(bytes_, "__debug_line");
    } else {
        const std::size_t sections = number_at<std::uint64_t>(bytes_, 40);
        for (std::size_t i = 0; i < number_at<std::uint16_t>(bytes_, 60); ++i) {
            const std::size_t header = sections + i * 64;
            const std::size_t offset = number_at<std::uint64_t>(bytes_, header + 24);
            const std::size_t size = number_at<std::uint64_t>(bytes_, header + 32);
            if (number_at<std::uint32_t>(bytes_, header + 4) == 1 &&
                lines_in(code_of_object(filled(bytes_, offset, size))) == 0) {
                debug = {offset, size};
            }
        }
    }
    ASSERT_GT(debug.second, 0U);
    // All of it, then each byte alone: what is still there may be read, and nothing is thrown.
    EXPECT_EQ(lines_in(code_of_object(filled(bytes_, debug.first, debug.second))), 0U);
    for (std::size_t at = 0; at < debug.second; ++at) {
        const std::vector<ObjectCode> code = code_of_object(filled(bytes_, debug.first + at, 1));
        ASSERT_EQ(code.size(), 1U);
        for (const ObjectLines& lines : code[0].lines) {
            ASSERT_LT(lines.file, code[0].files.size());
            ASSERT_LT(lines.begin, lines.end);
            ASSERT_GT(lines.line, 0U);
        }
    }
}

TEST_P(PlainObject, IsRefusedWhenItIsCut) {
    for (std::size_t size = 64; size + 64 < bytes_.size(); size += 16) {
        const Bytes cut(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
        const std::string said = message_of([&] { static_cast<void>(code_of_object(cut)); });
        EXPECT_NE(said, "no error at all") << size;
        EXPECT_EQ(said.find('\n'), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, PlainObject, testing::Values("elf", "macho", "pe"));

// A compiler's objects: each function in a section of its own, with lines of its own.
TEST(Object, EachContributionOfCodeviewBelongsToItsSection) {
    const std::string path = code_sample("pe/calls.o");
    const Bytes bytes = load(path);
    const std::map<std::string, LinesByByte> expected = contributions_of_readobj(path);
    std::map<std::string, LinesByByte> found;
    for (const ObjectCode& code : code_of_object(bytes)) {
        if (!code.bytes.empty()) {
            ASSERT_EQ(code.symbols.size(), 1U);
            found[code.symbols[0].name] = lines_of(code);
        }
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(found.size(), 2U);
}

TEST(Object, RelocatedLinesOfMachOAreReadToo) {
    const std::string path = code_sample("macho/calls.o");
    const Bytes bytes = load(path);
    const std::vector<ObjectCode> code = code_of_object(bytes);
    ASSERT_EQ(code.size(), 1U);
    EXPECT_EQ(lines_of(code[0]), lines_of_dwarfdump(path));
    EXPECT_EQ(lines_of(code[0]).at(0), "calls.c:4");
    EXPECT_FALSE(code[0].cuts.empty());
}

// What NASM gets wrong itself: places in two sections called .text… are counted as if they were one.
TEST(Object, MixedPlacesOfCodeviewAreNotBelieved) {
    const Bytes bytes = load(code_sample("pe/two_texts.o"));
    const std::vector<ObjectCode> code = code_of_object(bytes);
    ASSERT_EQ(code.size(), 2U);
    EXPECT_EQ(lines_in(code), 0U);
}

// In Mach-O objects nothing says which section a sequence is about, other than its length.
TEST(Object, SequencesOfMachOBelongToTheSectionOfTheirSize) {
    const Bytes bytes = load(code_sample("macho/two_texts.o"));
    const std::vector<ObjectCode> code = code_of_object(bytes);
    ASSERT_EQ(code.size(), 2U);
    EXPECT_EQ(lines_of(code[0]).at(0), "two_texts.asm:8");
    EXPECT_EQ(lines_of(code[1]).at(0), "two_texts.asm:12");
    const Bytes same = load(code_sample("macho/same_texts.o"));
    EXPECT_EQ(lines_in(code_of_object(same)), 0U) << "of two sections of one size it could be either's";
}

TEST(Object, OnlyMachOIsPartedAtItsSymbols) {
    const Bytes bytes = load(code_sample("macho/parted.o"));
    const std::vector<ObjectCode> code = code_of_object(bytes);
    ASSERT_EQ(code.size(), 1U);
    std::set<std::uint64_t> symbols;
    for (const ObjectSymbol& symbol : code[0].symbols) {
        symbols.insert(symbol.offset);
    }
    symbols.erase(0);
    EXPECT_EQ(std::set<std::uint64_t>(code[0].cuts.begin(), code[0].cuts.end()), symbols);
    EXPECT_GT(symbols.size(), 1U);
    const Bytes whole = load(code_sample("macho/plain.o"));
    EXPECT_TRUE(code_of_object(whole).at(0).cuts.empty());
}

TEST(Object, OfAUniversalOneTheHalfForX86IsRead) {
    const Bytes both = load(code_sample("macho/universal.o"));
    const Bytes thin = load(code_sample("macho/plain.o"));
    const std::vector<ObjectCode> code = code_of_object(both);
    ASSERT_EQ(code.size(), 1U);
    EXPECT_EQ(lines_of(code[0]), lines_of(code_of_object(thin).at(0)));
}

TEST(Object, WhatIsNoObjectHasNoCode) {
    const auto refused = [](const Bytes& bytes) {
        return message_of([&] { static_cast<void>(code_of_object(bytes)); });
    };
    EXPECT_EQ(refused({}), "the object is empty");
    EXPECT_EQ(refused(bytes_of("global x\n")), "the file is text, not an object for x86-64");
    EXPECT_EQ(refused(sample("module.so")), "the file is a linked ELF file, not an object");
    EXPECT_EQ(refused(sample("module_mac.so")), "is no whole Mach-O object for x86-64");
    EXPECT_EQ(refused(sample("arm64_pe.obj")), "the file is a COFF object, not an object for x86-64");
    EXPECT_EQ(object_format(sample("module_win.obj")), ObjectFormat::coff);
    EXPECT_EQ(object_format(sample("arm64_pe.obj")), std::nullopt);
}

}  // namespace nasm_build::inspect::test
