// Which bytes are taken for instructions: code maps made by hand.
#include "inspect/code/walk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "inspect/code/eh_frame.hpp"

namespace nasm_build::inspect::code {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr std::uint64_t base = 0x1000;

std::span<const std::byte> view(const Bytes& bytes) {
    return std::as_bytes(std::span(bytes));
}

CodeMap map_of(const Bytes& bytes, std::vector<Start> starts) {
    CodeMap map;
    map.sections = {{".text", base, view(bytes), false}};
    map.starts = std::move(starts);
    return map;
}

Start start_at(std::uint64_t offset, Origin origin, std::string_view name, std::uint64_t size = 0) {
    return {base + offset, size, origin, false, name};
}

// Writes `NAME: offsets of its instructions`, a line each, in the order of the walk.
class LineSink final : public FunctionSink {
public:
    [[nodiscard]] bool wants_plain() const override { return true; }
    void begin(const Start& start) override {
        name_ = start.name;
        offsets_.clear();
    }
    void take(const Instruction& instruction) override { offsets_.insert(instruction.address - base); }
    void drop() override {}
    void end(std::uint64_t instructions) override {
        EXPECT_EQ(instructions, offsets_.size());
        std::string line = name_ + ":";
        for (const std::uint64_t offset : offsets_) {
            line += " " + std::to_string(offset);
        }
        lines.push_back(line);
    }

    std::vector<std::string> lines;

private:
    std::string name_;
    std::set<std::uint64_t> offsets_;
};

// Writes `NAME: how many instructions`, and is handed those alone that are not plain.
class CountSink final : public FunctionSink {
public:
    [[nodiscard]] bool wants_plain() const override { return false; }
    void begin(const Start& start) override { name_ = start.name; }
    void take(const Instruction& one) override {
        EXPECT_FALSE(is_plain(one.flow, one.does, one.feature, one.encoding));
    }
    void drop() override {}
    void end(std::uint64_t instructions) override { lines.push_back(name_ + ": " + std::to_string(instructions)); }

    std::vector<std::string> lines;

private:
    std::string name_;
};

std::string counted(const std::string& line) {
    const auto end = line.find(':');
    return line.substr(0, end) + ": " + std::to_string(std::count(line.begin(), line.end(), ' '));
}

std::vector<std::string> walked(const CodeMap& map, std::uint64_t* not_decoded = nullptr) {
    LineSink sink;
    const std::uint64_t failed = for_each_function(map, Decoder(), sink);
    if (not_decoded != nullptr) {
        *not_decoded = failed;
    }
    // Twice: the first time there is no shape that is known. Whatever the decoder knows, the functions are the same.
    for (int turn = 0; turn < 2; ++turn) {
        CountSink counts;
        EXPECT_EQ(for_each_function(map, Decoder(), counts), failed);
        std::vector<std::string> expected;
        std::transform(sink.lines.begin(), sink.lines.end(), std::back_inserter(expected), counted);
        EXPECT_EQ(counts.lines, expected);
    }
    return sink.lines;
}

using Lines = std::vector<std::string>;

TEST(Walk, FollowsBranchesAndLeavesTablesOut) {
    // je +4; jmp back to the start; four bytes of a table (an EVEX prefix among them); ret
    const Bytes bytes = {0x74, 0x06, 0xEB, 0xFC, 0x62, 0xF1, 0x7C, 0x48, 0xC3};
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::function, "f", 9)})), (Lines{"f: 0 2 8"}));
}

TEST(Walk, AFunctionEndsWhereTheNextOneStarts) {
    const Bytes bytes = {0x90, 0x90, 0xC3};
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::function, "f"), start_at(1, Origin::label, "g")})),
              (Lines{"f: 0", "g: 1 2"}));
    // A label that control runs out of is taken for a table.
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::label, "f"), start_at(1, Origin::label, "g")})),
              (Lines{"g: 1 2"}));
    // NASM's local labels are within their function.
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::label, "f"), start_at(1, Origin::pointer, "f.loop")})),
              (Lines{"f: 0 1 2"}));
}

TEST(Walk, CallsShowFunctionsThatNothingNames) {
    // call +1; ret; nop (the function: ret)
    const Bytes bytes = {0xE8, 0x01, 0, 0, 0, 0xC3, 0x90, 0xC3};
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::function, "f", 6)})), (Lines{"f: 0 5", ": 6 7"}));
}

TEST(Walk, ACallAtTheEndMayNotReturn) {
    // call to itself; two kinds of padding; the next function
    const Bytes bytes = {0xE8, 0xFB, 0xFF, 0xFF, 0xFF, 0x90, 0x0F, 0x1F, 0x00, 0xC3};
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::label, "f"), start_at(9, Origin::label, "g")})),
              (Lines{"f: 0 5 6", "g: 9"}));
}

TEST(Walk, ATableWithALabelIsNoFunction) {
    std::uint64_t not_decoded = 99;
    const Bytes bytes = {0xC3, 0x06, 0x06, 0x06};
    EXPECT_EQ(
        walked(map_of(bytes, {start_at(0, Origin::label, "f"), start_at(1, Origin::label, "table")}), &not_decoded),
        (Lines{"f: 0"}));
    EXPECT_EQ(not_decoded, 0U);
    // Zeros decode, and run out of the section.
    const Bytes zeros = {0xC3, 0, 0, 0, 0};
    EXPECT_EQ(walked(map_of(zeros, {start_at(0, Origin::label, "f"), start_at(1, Origin::label, "table")})),
              (Lines{"f: 0"}));
    // in al, dx: programs do not have it.
    const Bytes port = {0xEC, 0xC3};
    EXPECT_EQ(walked(map_of(port, {start_at(0, Origin::label, "table")})), Lines{});
}

TEST(Walk, AFunctionThatDoesNotDecodeIsCounted) {
    std::uint64_t not_decoded = 0;
    const Bytes bytes = {0x90, 0x06, 0xC3};
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::function, "f", 2), start_at(2, Origin::function, "g", 1)}),
                     &not_decoded),
              (Lines{"g: 2"}));
    EXPECT_EQ(not_decoded, 1U);
}

TEST(Walk, CasesOfASwitchAreReadWhereTheBoundsAreKnown) {
    // jmp rax; popcnt eax, ecx; ret
    const Bytes bytes = {0xFF, 0xE0, 0xF3, 0x0F, 0xB8, 0xC1, 0xC3};
    const Start sized = start_at(0, Origin::function, "f", 7);
    EXPECT_EQ(walked(map_of(bytes, {sized})), (Lines{"f: 0 2 6"}));
    EXPECT_EQ(walked(map_of(bytes, {start_at(0, Origin::label, "f")})), (Lines{"f: 0"}));
    CodeMap with_tables = map_of(bytes, {sized});
    with_tables.may_have_tables_in_functions = true;
    EXPECT_EQ(walked(with_tables), (Lines{"f: 0"}));
    const Bytes with_data = {0xFF, 0xE0, 0xF3, 0x0F, 0xB8, 0xC1, 0x06};
    EXPECT_EQ(walked(map_of(with_data, {sized})), (Lines{"f: 0"}));
}

TEST(Walk, WithoutAnyStartTheSectionIsOne) {
    const Bytes bytes = {0x90, 0xC3};
    EXPECT_EQ(walked(map_of(bytes, {})), (Lines{": 0 1"}));
}

// A file may name a start at each byte: the work stays linear.
TEST(Walk, StartsThatLieOverEachOtherEnd) {
    Bytes bytes(20'000, 0x90);
    bytes.push_back(0x06);
    std::vector<Start> starts;
    for (std::uint64_t offset = 0; offset < bytes.size(); ++offset) {
        starts.push_back(start_at(offset, Origin::pointer, "x"));
    }
    EXPECT_EQ(walked(map_of(bytes, std::move(starts))), Lines{});
}

TEST(InnerLabels, AreNasmsLocalOnes) {
    EXPECT_TRUE(is_inner_label("f.loop"));
    EXPECT_TRUE(is_inner_label("..@3.next"));
    EXPECT_FALSE(is_inner_label("f"));
}

// A common entry (version 1, "zR", pcrel sdata4) and two for functions: the second begins with DW_CFA_def_cfa_offset.
Bytes unwind_table() {
    return {0x14, 0, 0, 0, 0,    0,    0, 0, 1,    'z',  'R', 0, 1,    0x78, 16,   1, 0x1B, 0x0C, 7, 8, 0x90, 1, 0, 0,
            0x10, 0, 0, 0, 0x1C, 0,    0, 0, 0x00, 0x10, 0,   0, 0x20, 0,    0,    0, 0,    0,    0, 0, 0x10, 0, 0, 0,
            0x30, 0, 0, 0, 0x00, 0x20, 0, 0, 0x08, 0,    0,   0, 0,    0x0E, 0x10, 0, 0,    0,    0, 0};
}

TEST(UnwindTable, NamesFunctionsWithTheirFrames) {
    const Bytes table = unwind_table();
    const std::vector<FrameEntry> entries = read_eh_frame(view(table), 0x4000);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].begin, 0x4000U + 32 + 0x1000);
    EXPECT_EQ(entries[0].end - entries[0].begin, 0x20U);
    EXPECT_TRUE(first_row(entries[0]).is_that_of_a_call());
    EXPECT_EQ(entries[1].begin, 0x4000U + 52 + 0x2000);
    EXPECT_FALSE(first_row(entries[1]).is_that_of_a_call());
}

TEST(UnwindTable, ADamagedOneIsRefused) {
    Bytes cut = unwind_table();
    cut.resize(30);
    EXPECT_THROW(static_cast<void>(read_eh_frame(view(cut), 0)), Error);
    Bytes orphan = unwind_table();
    orphan[28] = 0x18;
    EXPECT_THROW(static_cast<void>(read_eh_frame(view(orphan), 0)), Error);
    Bytes version = unwind_table();
    version[8] = 9;
    EXPECT_THROW(static_cast<void>(read_eh_frame(view(version), 0)), Error);
}

}  // namespace
}  // namespace nasm_build::inspect::code
