// The words for NASM, whole, for each target.
#include "toolchain/flags.hpp"

#include <gtest/gtest.h>

namespace nasm_build::toolchain {
namespace {

using Words = std::vector<std::string>;

TEST(NasmFlags, OfEachTarget) {
    EXPECT_EQ(
        nasm_flags(find_target("linux-x86_64"), std::nullopt),
        (Words{"-f", "elf64", "-g", "-F", "dwarf", "--reproducible", "--before", "default rel", "-DPIE", "-DLINUX"}));
    EXPECT_EQ(nasm_flags(find_target("macosx-11.0-x86_64"), std::nullopt),
              (Words{"-f", "macho64", "-g", "-F", "dwarf", "--reproducible", "--before", "default rel", "--prefix", "_",
                     "-DNOPIE", "-DMACOS"}));
    EXPECT_EQ(
        nasm_flags(find_target("win-amd64"), std::nullopt),
        (Words{"-f", "win64", "-g", "-F", "cv8", "--reproducible", "--before", "default rel", "-DNOPIE", "-DWINDOWS"}));
    EXPECT_EQ(nasm_flags(find_target("linux-aarch64"), parse_stable_abi("3.10")), Words{});
    EXPECT_EQ(nasm_flags(find_target("linux-x86_64", 32), std::nullopt), Words{});
}

TEST(NasmFlags, TellTheStableAbi) {
    const Target target = find_target("linux-x86_64");
    Words expected = nasm_flags(target, parse_python("3.13"));
    EXPECT_EQ(expected, nasm_flags(target, std::nullopt));
    expected.push_back("-DPy_LIMITED_API=0x030A0000");
    EXPECT_EQ(nasm_flags(target, parse_stable_abi("3.10")), expected);
    expected.back() = "-DPy_LIMITED_API=0x030F0000";
    expected.push_back("-DPy_TARGET_ABI3T=0x030F0000");
    EXPECT_EQ(nasm_flags(target, parse_stable_abi("3.15t")), expected);
}

TEST(NasmFlags, TellAFreeThreadedCPython) {
    const Target target = find_target("linux-x86_64");
    Words expected = nasm_flags(target, std::nullopt);
    expected.push_back("-DPy_GIL_DISABLED=1");
    EXPECT_EQ(nasm_flags(target, parse_python("3.13t")), expected);
}

TEST(ShellLine, QuotesWhatAShellWouldTakeApart) {
    EXPECT_EQ(shell_line({"-f", "elf64", "-DPIE", "-I/usr/include/"}), "-f elf64 -DPIE -I/usr/include/");
    EXPECT_EQ(shell_line({"default rel", "", "it's", "$HOME", "*"}), "'default rel' '' 'it'\\''s' '$HOME' '*'");
    EXPECT_EQ(shell_line({"größe"}), "'größe'");
    EXPECT_EQ(shell_line({}), "");
}

}  // namespace
}  // namespace nasm_build::toolchain
