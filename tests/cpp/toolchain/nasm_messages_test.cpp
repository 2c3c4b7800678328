// What NASM's lines become: places, texts, fixes.
#include "toolchain/nasm_messages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nasm_build::toolchain {
namespace {

std::vector<std::string> told(std::string_view output) {
    std::vector<std::string> lines;
    for (const NasmProblem& problem : problems_in(output, "m.asm", {"inc/", ".", "inc"})) {
        lines.push_back(rendered(problem));
    }
    return lines;
}

using Lines = std::vector<std::string>;

TEST(NasmMessages, HaveAPlaceASeverityAndEachOnce) {
    EXPECT_EQ(told("m.asm:3: error: parser: instruction expected\r\nm.asm:3: error: parser: instruction expected\n"),
              (Lines{"m.asm:3: error: parser: instruction expected [nasm]"}));
    EXPECT_EQ(told("inc/a b.inc:12: warning: label alone [-w+label-orphan]\n"),
              (Lines{"inc/a b.inc:12: warning: label alone [-w+label-orphan] [nasm]"}));
    EXPECT_EQ(told("C:\\p\\m.asm:7: error: error: twice\n"), (Lines{"C:\\p\\m.asm:7: error: error: twice [nasm]"}));
    EXPECT_EQ(told("nasm: fatal: no input file specified\n"), (Lines{"m.asm: error: no input file specified [nasm]"}));
    EXPECT_EQ(told("m.asm:4: ... from macro `twice' defined here\n\n"), Lines{});
}

TEST(NasmMessages, KnowFixes) {
    EXPECT_EQ(told("m.asm:1: error: unable to open include file `missing.inc': No such file or directory\n"),
              (Lines{"m.asm:1: error: unable to open include file `missing.inc': No such file or directory [nasm]\n"
                     "  fix: put 'missing.inc' into one of: ., inc; or add its folder to the include folders"}));
    EXPECT_EQ(told("m.asm:2: error: `incbin': unable to open file `d.bin': No such file or directory\n"),
              (Lines{"m.asm:2: error: `incbin': unable to open file `d.bin': No such file or directory [nasm]\n"
                     "  fix: put 'd.bin' into one of: ., inc; or add its folder to the include folders"}));
    EXPECT_EQ(told("m.asm:5: error: symbol `helper' not defined\n"),
              (Lines{"m.asm:5: error: symbol `helper' not defined [nasm]\n"
                     "  fix: define helper, or declare it with 'extern helper' when another file or Python has it"}));
    EXPECT_EQ(
        told("m.asm:5: error: symbol `f.again' not defined\n"),
        (Lines{"m.asm:5: error: symbol `f.again' not defined [nasm]\n"
               "  fix: define the local label, or spell it as it is defined below its own global label: f.again"}));
    EXPECT_EQ(
        told("m.asm:5: error: symbol `PyTypeObject.tp_name' not defined\n"),
        (Lines{"m.asm:5: error: symbol `PyTypeObject.tp_name' not defined [nasm]\n"
               "  fix: the stable ABI hides this field, or this CPython has none of that name: call a function of "
               "the C API, or leave the stable ABI out"}));
}

}  // namespace
}  // namespace nasm_build::toolchain
