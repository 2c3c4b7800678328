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

Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

TEST(NasmFlags, TellTheVersionOfEachTarget) {
    for (const char* platform : {"linux-x86_64", "macosx-11.0-x86_64", "win-amd64"}) {
        const Target target = find_target(platform);
        EXPECT_EQ(nasm_flags(target, parse_python("3.9")),
                  with(nasm_flags(target, std::nullopt), {"-DPY_VERSION_HEX=0x03090000"}));
        EXPECT_EQ(nasm_flags(target, parse_python("3.13d")),
                  with(nasm_flags(target, std::nullopt), {"-DPY_VERSION_HEX=0x030D0000"}));
    }
}

TEST(NasmFlags, TellTheStableAbiAndTheVersionThatItPromises) {
    const Target target = find_target("linux-x86_64");
    const Words plain = nasm_flags(target, std::nullopt);
    const Words abi3 = with(plain, {"-DPY_VERSION_HEX=0x030A0000", "-DPy_LIMITED_API=0x030A0000"});
    EXPECT_EQ(nasm_flags(target, parse_stable_abi("3.10")), abi3);
    EXPECT_EQ(nasm_flags(target, choose_build(parse_python("3.14"), parse_stable_abi("3.10"))), abi3);
    EXPECT_EQ(
        nasm_flags(target, parse_stable_abi("3.15t")),
        with(plain, {"-DPY_VERSION_HEX=0x030F0000", "-DPy_LIMITED_API=0x030F0000", "-DPy_TARGET_ABI3T=0x030F0000"}));
}

TEST(NasmFlags, TellAFreeThreadedCPython) {
    const Target target = find_target("linux-x86_64");
    EXPECT_EQ(nasm_flags(target, parse_python("3.13t")),
              with(nasm_flags(target, std::nullopt), {"-DPY_VERSION_HEX=0x030D0000", "-DPy_GIL_DISABLED=1"}));
}

TEST(ShellLine, QuotesWhatAShellWouldTakeApart) {
    EXPECT_EQ(shell_line({"-f", "elf64", "-DPIE", "-I/usr/include/"}), "-f elf64 -DPIE -I/usr/include/");
    EXPECT_EQ(shell_line({"default rel", "", "it's", "$HOME", "*"}), "'default rel' '' 'it'\\''s' '$HOME' '*'");
    EXPECT_EQ(shell_line({"größe"}), "'größe'");
    EXPECT_EQ(shell_line({}), "");
}

}  // namespace
}  // namespace nasm_build::toolchain
