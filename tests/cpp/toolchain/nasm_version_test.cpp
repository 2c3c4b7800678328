// NASM's version: recognised, read, ordered.
#include "toolchain/nasm_version.hpp"

#include <gtest/gtest.h>

#include <array>

namespace nasm_build::toolchain {
namespace {

TEST(NasmVersionText, IsFoundInNasmsAnswerAlone) {
    EXPECT_EQ(nasm_version_text("NASM version 2.16.01 compiled on Dec  8 2022\n"), "2.16.01");
    EXPECT_EQ(nasm_version_text("NASM version 3.01\r\n"), "3.01");
    EXPECT_EQ(nasm_version_text("warning: a line before\nNASM version 2.15.05 compiled on Aug 28 2020"), "2.15.05");
    EXPECT_EQ(nasm_version_text("NASM version 0.98.40 (Apple Computer, Inc. build 11) compiled on Aug 24 2015"),
              "0.98.40");
    EXPECT_EQ(nasm_version_text("yasm 1.3.0\nCompiled on Dec 14 2022.\n"), std::nullopt);
    EXPECT_EQ(nasm_version_text("this is not NASM version 2.16"), std::nullopt);
    EXPECT_EQ(nasm_version_text(""), std::nullopt);
}

TEST(ParseNasmVersion, ReadsReleasesCandidatesAndSnapshots) {
    EXPECT_EQ(parse_nasm_version("2.16.01"), (NasmVersion{2, 16, 1}));
    EXPECT_EQ(parse_nasm_version("2.16"), (NasmVersion{2, 16, 0}));
    EXPECT_EQ(parse_nasm_version("3.00"), (NasmVersion{3, 0, 0}));
    EXPECT_EQ(parse_nasm_version("2.16rc1"), (NasmVersion{2, 16, 0, false, 1}));
    EXPECT_EQ(parse_nasm_version("2.16.02rc12"), (NasmVersion{2, 16, 2, false, 12}));
    EXPECT_EQ(parse_nasm_version("2.17-20240101"), (NasmVersion{2, 17, 0}));
    EXPECT_EQ(parse_nasm_version("2.17rc0-20240101"), (NasmVersion{2, 17, 0, false, 0}));
    EXPECT_EQ(parse_nasm_version("0.98.40"), (NasmVersion{0, 98, 40}));
    for (const char* text : {"", "2", "2.", "two", "2.16.", "2.16rc", ".16", "99999999999.1"}) {
        EXPECT_EQ(parse_nasm_version(text), std::nullopt) << text;
    }
}

TEST(NasmVersion, IsOrderedAsReleased) {
    constexpr std::array<const char*, 11> in_order{"0.98.40",    "2.14.02",          "2.15rc1", "2.15",
                                                   "2.15.05rc1", "2.15.05",          "2.16rc1", "2.16",
                                                   "2.16.01",    "2.17rc0-20240101", "3.00rc2"};
    for (std::size_t index = 1; index < in_order.size(); ++index) {
        EXPECT_LT(parse_nasm_version(in_order[index - 1]), parse_nasm_version(in_order[index])) << in_order[index];
    }
    EXPECT_EQ(parse_nasm_version(oldest_nasm_text), oldest_nasm);
    EXPECT_LT(*parse_nasm_version("2.15.05rc1"), oldest_nasm);
    EXPECT_GE(*parse_nasm_version("2.16rc1"), oldest_nasm);
}

TEST(NasmVersionWarning, IsForTheTwoThatMiscompile) {
    EXPECT_EQ(nasm_version_warning({3, 0, 0}),
              "NASM 3.00 writes wrong displacements into some AVX-512 instructions (nasm#185): use 3.02 or later, or "
              "2.16.03");
    EXPECT_EQ(nasm_version_warning({3, 1, 0, false, 2}),
              "NASM 3.01 writes wrong displacements into some AVX-512 instructions (nasm#185): use 3.02 or later, or "
              "2.16.03");
    EXPECT_EQ(nasm_version_warning({3, 2, 0}), "");
    EXPECT_EQ(nasm_version_warning({2, 16, 3}), "");
    EXPECT_EQ(nasm_version_warning({4, 0, 0}), "");
}

}  // namespace
}  // namespace nasm_build::toolchain
