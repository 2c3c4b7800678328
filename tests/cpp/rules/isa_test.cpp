#include "inspect/rules/isa.hpp"

#include <gtest/gtest.h>

#include "images.hpp"
#include "inspect/rules/isa_baseline.hpp"

namespace nasm_build::inspect::testing {
namespace {

using code::Code;
using code::Feature;
using code::Function;

constexpr const char* ask =
    "fix: ask cpuid (in C: __builtin_cpu_supports) before it is called, and keep a plain version; or compile without "
    "-march, -mavx2, /arch";

Function function_with(std::string name, std::vector<std::pair<Feature, const char*>> instructions) {
    Function function;
    function.name = std::move(name);
    function.address = code_address;
    function.instructions = 20;
    for (const auto& [feature, mnemonic] : instructions) {
        function.features.add(feature);
        function.witnesses.push_back({feature, code_address, mnemonic});
    }
    return function;
}

Code code_of(std::vector<Function> functions) {
    Code code;
    code.size = 0x100;
    code.functions = std::move(functions);
    return code;
}

Lines said(const Code& code, const Image& image, const Expectations& expected = for_python("3.13")) {
    return lines(check_code(code, image, expected));
}

TEST(Isa, PlainCodeIsSilent) {
    const Code code =
        code_of({function_with("f", {}), function_with("g", {{Feature::sse3, "haddps"}, {Feature::cx16, "x"}})});
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(said(code, module_of(format)), Lines{});
    }
}

TEST(Isa, WhatTheFileIsMarkedAsNeedingGlibcAsksFor) {
    const Code code = code_of({function_with("sum_avx2", {{Feature::avx2, "vpaddb"}})});
    Image image = module_of(Format::elf);
    image.elf.properties.x86_isa_needed = 4;
    EXPECT_EQ(said(code, image), Lines{});
    EXPECT_EQ(said(code, image, for_tag("musllinux_1_2_x86_64")).size(), 2U);
    image.elf.properties.x86_isa_needed = 2;
    EXPECT_EQ(said(code, image).size(), 2U);
}

TEST(Isa, AboveTheBaselineWithoutAsking) {
    const Code code = code_of({function_with("sum", {{Feature::popcnt, "popcnt"}}),
                               function_with("sum_avx2", {{Feature::avx, "vmovdqu"}, {Feature::avx2, "vpaddb"}})});
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(
            said(code, module_of(format)),
            (Lines{"warning: needs x86-64-v3 (vmovdqu in sum_avx2, and 1 function more), and nothing in it asks the "
                   "processor: one without stops there with an illegal instruction [isa-above-baseline]",
                   ask}));
    }
    EXPECT_EQ(check_code(code, module_of(Format::elf), for_python("3.13")).findings.front().symbol, "sum_avx2");
}

TEST(Isa, TheSecondLevelAloneIsANote) {
    const Code code = code_of({function_with("", {{Feature::popcnt, "popcnt"}})});
    EXPECT_EQ(
        said(code, module_of(Format::elf)),
        (Lines{"note: needs x86-64-v2 (popcnt in the function at 0x1000), and nothing in it asks the processor: one "
               "without stops there with an illegal instruction [isa-above-baseline]",
               ask}));
}

TEST(Isa, WhatNoLevelHasIsNamed) {
    Code code = code_of({function_with("f", {{Feature::aes, "aesenc"}})});
    EXPECT_EQ(said(code, module_of(Format::elf)).front(),
              "warning: needs aes (aesenc in f), and nothing in it asks the processor: one without stops there with an "
              "illegal instruction [isa-above-baseline]");
    code = code_of({function_with("f", {{Feature::avx512f, "vmovdqu64"}, {Feature::avx512vpopcntdq, "vpopcntq"}})});
    EXPECT_EQ(
        said(code, module_of(Format::elf)).front(),
        "warning: needs x86-64-v4 and avx512vpopcntdq (vmovdqu64 in f), and nothing in it asks the processor: one "
        "without stops there with an illegal instruction [isa-above-baseline]");
}

TEST(Isa, AModuleThatAsksGetsANote) {
    Code code = code_of(
        {function_with("f2", {{Feature::avx2, "vpaddb"}}), function_with("f4", {{Feature::avx512f, "vaddps"}})});
    code.asks = {"cpuid", "getauxval"};
    EXPECT_EQ(said(code, module_of(Format::elf)),
              (Lines{"note: has code for x86-64-v4 in 2 functions (f4 and f2), and asks the processor (cpuid and "
                     "getauxval) [isa-above-baseline]"}));
}

TEST(Isa, ANameMaySayWhichProcessor) {
    const Code code = code_of({function_with("f", {{Feature::avx2, "vpaddb"}})});
    Image image = module_of(Format::elf);
    image.soname = "libggml-cpu-haswell.so";
    EXPECT_EQ(said(code, image),
              (Lines{"note: has code for x86-64-v3 in 1 function (f), and its name says so: what loads it must ask the "
                     "processor [isa-above-baseline]"}));
}

TEST(Isa, WhatFollowsTheRuntimeIsPassedOver) {
    Code code = code_of({function_with("memcpy", {{Feature::avx, "vmovdqu"}})});
    code.functions.front().follows_runtime = true;
    EXPECT_EQ(said(code, module_of(Format::pe)), Lines{});
}

TEST(Isa, TheBaselineOfMacos) {
    const Code code = code_of({function_with("f", {{Feature::sse41, "pmulld"}, {Feature::popcnt, "popcnt"}})});
    Image image = module_of(Format::macho);
    const auto witness = [&](const char* minimum) {
        image.minimum_system = minimum;
        const Lines all = said(code, image);
        return all.empty() ? std::string() : all.front().substr(0, 27);
    };
    EXPECT_EQ(witness("10.14"), "");
    EXPECT_EQ(witness("11.0"), "");
    EXPECT_EQ(witness("10.13"), "note: needs x86-64-v2 (popc");
    EXPECT_EQ(witness("10.9"), "note: needs x86-64-v2 (pmul");
    EXPECT_FALSE(baseline_of(image, for_python("3.13")).has(Feature::sse41));
    image.slice = "x86_64h";
    EXPECT_TRUE(baseline_of(image, for_python("3.13")).has(Feature::avx2));
}

TEST(Isa, TooMuchThatDoesNotDecode) {
    Code code = code_of({function_with("f", {})});
    code.not_decoded = 1;
    EXPECT_EQ(said(code, module_of(Format::elf)),
              (Lines{"not checked: isa-above-baseline, because 1 of its 2 functions could not be decoded"}));
}

Function caller(std::string name) {
    Function function = function_with(std::move(name), {});
    function.calls = true;
    return function;
}

TEST(FramePointers, AreAskedOfModulesForCPython315) {
    Function with_frame = caller("framed");
    with_frame.keeps_frame = true;
    Function part = caller("cold");
    part.is_part = true;
    Function brief = caller("wrapper");
    brief.instructions = 16;
    const Code code = code_of({caller("first"), with_frame, part, brief, function_with("leaf", {}), caller("second")});
    EXPECT_EQ(
        said(code, module_of(Format::elf), for_python("3.15")),
        (Lines{"note: keeps no frame pointer in 2 functions that make calls (first and second), so profilers lose the "
               "stack there [frame-pointers]",
               "fix: begin such functions with `push rbp` and `mov rbp, rsp` (Python.inc's functions do), compile C "
               "with -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer"}));
    EXPECT_EQ(said(code, module_of(Format::pe), for_python("3.15")), Lines{});
    const Verdict older = check_code(code, module_of(Format::elf), for_python("3.14"));
    EXPECT_EQ(lines(older), Lines{});
    ASSERT_EQ(older.not_applicable.size(), 1U);
    EXPECT_EQ(older.not_applicable.front().reason, "PEP 831 asks it of what is built for CPython 3.15 and later");
}

ReleaseModule in_release(const char* target, unsigned level, std::vector<std::string> functions = {}) {
    return {"fast-1.0", "fast", target, std::string("fast-1.0-") + target + ".whl", level, level, std::move(functions)};
}

TEST(Release, APlatformThatLacksTheLevel) {
    const std::vector<ReleaseModule> modules = {in_release("linux-x86_64", 3, {"sum_avx2"}), in_release("win-amd64", 1),
                                                in_release("macosx-11.0-x86_64", 3)};
    const std::vector<Compared> compared = check_release(modules);
    ASSERT_EQ(compared.size(), 3U);
    EXPECT_FALSE(compared[0].finding || compared[2].finding);
    ASSERT_TRUE(compared[1].finding);
    EXPECT_EQ(compared[1].finding->message,
              "has no code for x86-64-v3, which fast-1.0-linux-x86_64.whl has in sum_avx2: the same call is slower on "
              "win-amd64");
    EXPECT_EQ(compared[1].finding->rule, "simd-missing");
}

TEST(Release, WhatIsNotCompared) {
    // One platform alone; levels below v3; another module, another release.
    EXPECT_FALSE(check_release(std::vector{in_release("win-amd64", 3)}).front().is_compared);
    const auto low = check_release(std::vector{in_release("macosx-11.0-x86_64", 2), in_release("win-amd64", 1)});
    EXPECT_TRUE(low[1].is_compared);
    EXPECT_FALSE(low[1].finding);
    ReleaseModule other = in_release("win-amd64", 1);
    other.module = "slow";
    EXPECT_FALSE(check_release(std::vector{in_release("linux-x86_64", 3), other})[1].is_compared);
    other = in_release("win-amd64", 1);
    other.release = "fast-1.1";
    EXPECT_FALSE(check_release(std::vector{in_release("linux-x86_64", 3), other})[1].is_compared);
    // Two wheels of the platform, one of which has it.
    const auto two = check_release(
        std::vector{in_release("win-amd64", 1), in_release("win-amd64", 3), in_release("linux-x86_64", 3)});
    EXPECT_FALSE(two[0].finding);
    // The code may lie in a library of the same wheel.
    ReleaseModule with_library = in_release("win-amd64", 1);
    with_library.wheel_level = 3;
    EXPECT_FALSE(check_release(std::vector{in_release("linux-x86_64", 3), with_library})[1].finding);
}

}  // namespace
}  // namespace nasm_build::inspect::testing
