// Platform tags from facts: what each need asks for, and what the binaries of a wheel allow together.
#include "inspect/tags/tags.hpp"

#include <gtest/gtest.h>

#include "images.hpp"
#include "inspect/tags/policies.hpp"

namespace nasm_build::inspect::testing {
namespace {

using Words = std::vector<std::string>;

constexpr const char* gnu_name = "mod.cpython-313-x86_64-linux-gnu.so";
constexpr const char* musl_name = "mod.cpython-313-x86_64-linux-musl.so";

// A module of that file name that needs libraries, and versions of them written `libc.so.6:GLIBC_2.34`.
BinaryNeeds binary(const std::string& name, const Words& libraries = {}, const Words& versions = {},
                   const Words& bundled = {}) {
    Image image = module_of(Format::elf);
    for (const std::string& one : libraries) {
        image.libraries.push_back(library(one));
    }
    for (const std::string& one : versions) {
        const std::size_t colon = one.find(':');
        image.needed_versions.push_back({one.substr(0, colon), one.substr(colon + 1), false});
        Import import = imported("use_" + one.substr(colon + 1));
        import.version = one.substr(colon + 1);
        image.imports.push_back(import);
    }
    BinaryNeeds needs = platform_needs(image, expectations_from_path(name), [&](std::string_view wanted) {
        return std::find(bundled.begin(), bundled.end(), wanted) != bundled.end();
    });
    needs.member = name;
    return needs;
}

BinaryNeeds bundle(const std::string& minimum, Machine machine, const std::string& member = "mod.so") {
    Image image = module_of(Format::macho);
    image.machine = machine;
    image.slice = machine == Machine::arm64 ? "arm64" : "x86_64";
    image.platform = "macos";
    image.minimum_system = minimum;
    BinaryNeeds needs = platform_needs(image, expectations_from_path(member), [](std::string_view) { return false; });
    needs.member = member;
    return needs;
}

Words tags(const std::vector<BinaryNeeds>& binaries, toolchain::CLibrary library = toolchain::CLibrary::gnu) {
    return lowest_platform_tags(binaries, library).tags;
}

Words why(const std::vector<BinaryNeeds>& binaries) {
    return lowest_platform_tags(binaries).why;
}

const Words oldest = {"manylinux_2_5_x86_64", "manylinux1_x86_64"};

TEST(Tags, OfModulesThatNeedNothing) {
    EXPECT_EQ(tags({}), Words{"any"});
    EXPECT_EQ(tags({binary(gnu_name)}), oldest);
    EXPECT_EQ(tags({binary(musl_name)}), Words{"musllinux_1_1_x86_64"});
    const Words both = {"manylinux_2_5_x86_64", "manylinux1_x86_64", "musllinux_1_1_x86_64"};
    EXPECT_EQ(tags({binary("mod.abi3.so")}), both);
    EXPECT_EQ(tags({binary("mod.so")}), both);
    EXPECT_EQ(tags({binary("mod.abi3.so"), binary(gnu_name)}), oldest) << "one name is of glibc";
    EXPECT_EQ(tags({binary("mod.abi3-x86_64-linux-gnu.so")}), oldest);
}

TEST(Tags, UntilCPython310TheNameDoesNotTellMusl) {
    const std::vector<BinaryNeeds> old = {binary("mod.cpython-310-x86_64-linux-gnu.so")};
    EXPECT_EQ(tags(old), oldest);
    EXPECT_EQ(tags(old, toolchain::CLibrary::musl), Words{"musllinux_1_1_x86_64"});
}

TEST(Tags, AFunctionOfTheCLibraryThatNothingWasLinkedFor) {
    Image image = module_with(Format::elf, "memcpy");
    BinaryNeeds needs =
        platform_needs(image, expectations_from_path("mod.abi3.so"), [](std::string_view) { return false; });
    EXPECT_TRUE(needs.needs_c_library);
    EXPECT_EQ(tags({needs}), oldest);
    EXPECT_EQ(tags({needs}, toolchain::CLibrary::musl), Words{"musllinux_1_1_x86_64"});
}

TEST(Tags, OfGlibc) {
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_2.2.5"})}), oldest);
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_2.14", "libc.so.6:GLIBC_2.17"})}),
              (Words{"manylinux_2_17_x86_64", "manylinux2014_x86_64"}));
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_2.14"})}),
              (Words{"manylinux_2_14_x86_64", "manylinux2014_x86_64"}))
        << "what older installers know promises more, and they take nothing else";
    EXPECT_EQ(tags({binary("mod.abi3.so", {"libc.so.6"}, {"libc.so.6:GLIBC_2.34"})}), Words{"manylinux_2_34_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_2.18"})}), Words{"manylinux_2_18_x86_64"})
        << "PEP 600 has a tag for each glibc";
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_2.99"})}), Words{"manylinux_2_99_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_ABI_DT_RELR"})}), Words{"manylinux_2_36_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_PRIVATE"})}), Words{"linux_x86_64"});
}

TEST(Tags, OfOtherVersionedLibraries) {
    EXPECT_EQ(tags({binary(gnu_name, {"libstdc++.so.6"}, {"libstdc++.so.6:GLIBCXX_3.4.21"})}),
              Words{"manylinux_2_24_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libz.so.1"}, {"libz.so.1:ZLIB_1.2.9"})}), Words{"manylinux_2_27_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libasound.so.2"}, {"libasound.so.2:ALSA_0.9"})}), Words{"linux_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libstdc++.so.6"}, {"libstdc++.so.6:GLIBCXX_3.4.999"})}), Words{"linux_x86_64"});
    EXPECT_EQ(tags({binary(gnu_name, {"libmvec.so.1"})}), Words{"manylinux_2_24_x86_64"});
}

TEST(Tags, OfMusl) {
    EXPECT_EQ(tags({binary(musl_name, {"libc.musl-x86_64.so.1"})}), Words{"musllinux_1_1_x86_64"});
    EXPECT_EQ(tags({binary("mod.abi3.so", {"libc.so"})}), Words{"musllinux_1_1_x86_64"});
    EXPECT_EQ(tags({binary(musl_name, {"libc.musl-x86_64.so.1", "libstdc++.so.6"})}), Words{"linux_x86_64"});
    EXPECT_EQ(why({binary(musl_name, {"libc.musl-x86_64.so.1", "libstdc++.so.6"})}),
              Words{"mod.cpython-313-x86_64-linux-musl.so: needs libstdc++.so.6, which no musllinux tag promises"});
    Image image = module_with(Format::elf, "__clock_gettime_time64");
    image.machine = Machine::x86;
    image.pointer_bits = 32;
    image.libraries = {library("libc.musl-x86.so.1")};
    EXPECT_EQ(
        tags({platform_needs(image, expectations_from_path("mod.abi3.so"), [](std::string_view) { return false; })}),
        Words{"musllinux_1_2_i686"});
}

TEST(Tags, WhatAWheelBringsItselfCounts) {
    const Words library = {"libquux-12.so.1"};
    EXPECT_EQ(tags({binary(gnu_name, library)}), Words{"linux_x86_64"});
    EXPECT_EQ(why({binary(gnu_name, library)}),
              Words{"mod.cpython-313-x86_64-linux-gnu.so: needs libquux-12.so.1, which no manylinux tag promises"});
    EXPECT_EQ(tags({binary(gnu_name, library, {"libquux-12.so.1:QUUX_1"}, library)}), oldest);
    // A bundled library's own needs are the wheel's as well.
    EXPECT_EQ(tags({binary(gnu_name, library, {}, library),
                    binary("p.libs/libquux-12.so.1", {"libc.so.6"}, {"libc.so.6:GLIBC_2.28"})}),
              Words{"manylinux_2_28_x86_64"});
}

TEST(Tags, NamesThatALibraryKeepsForItself) {
    Image image = module_with(Format::elf, "inflate_fast");
    image.libraries = {library("libz.so.1")};
    const auto needs = platform_needs(image, expectations_from_path(gnu_name), [](std::string_view) { return false; });
    EXPECT_EQ(lowest_platform_tags(std::vector{needs}).tags, Words{"linux_x86_64"});
    EXPECT_EQ(lowest_platform_tags(std::vector{needs}).why,
              Words{": needs the private inflate_fast of libz.so.1, which no manylinux tag promises"});
}

TEST(Tags, WhyNoneIsLower) {
    EXPECT_EQ(why({binary(gnu_name, {"libc.so.6"}, {"libc.so.6:GLIBC_2.17", "libc.so.6:GLIBC_2.34"})}),
              Words{"mod.cpython-313-x86_64-linux-gnu.so: needs GLIBC_2.34 of libc.so.6 (for use_GLIBC_2.34), which "
                    "manylinux_2_34 promises first"});
    EXPECT_EQ(why({binary(gnu_name)}), Words{});
}

TEST(Tags, BinariesThatBelongTogether) {
    EXPECT_EQ(tags({binary(gnu_name), binary(musl_name)}), Words{"linux_x86_64"});
    Image windows = module_of(Format::pe);
    BinaryNeeds pe = platform_needs(windows, expectations_from_path("mod.pyd"), [](std::string_view) { return false; });
    pe.member = "mod.pyd";
    EXPECT_EQ(tags({pe}), Words{"win_amd64"});
    EXPECT_EQ(tags({binary("mod.so"), pe}), Words{});
    EXPECT_EQ(why({binary("mod.so"), pe}), Words{"mod.pyd: is PE for win_amd64, and mod.so is ELF for x86_64"});
}

TEST(Tags, OfMacos) {
    EXPECT_EQ(tags({bundle("10.9", Machine::x86_64)}), Words{"macosx_10_9_x86_64"});
    EXPECT_EQ(tags({bundle("12.3", Machine::x86_64)}), Words{"macosx_12_0_x86_64"});
    EXPECT_EQ(tags({bundle("11.0", Machine::arm64)}), Words{"macosx_11_0_arm64"});
    EXPECT_EQ(tags({bundle("10.13", Machine::x86_64), bundle("11.0", Machine::arm64)}),
              Words{"macosx_10_13_universal2"});
    EXPECT_EQ(tags({bundle("10.13", Machine::x86_64), bundle("12.0", Machine::arm64)}),
              Words{"macosx_12_0_universal2"});
    EXPECT_EQ(tags({bundle("10.13", Machine::x86_64), bundle("11.0", Machine::arm64),
                    bundle("11.0", Machine::x86_64, "thin.so")}),
              Words{"macosx_11_0_x86_64"});
    EXPECT_EQ(why({bundle("12.3", Machine::x86_64)}), Words{"mod.so (x86_64): needs macOS 12.3"});
    EXPECT_EQ(tags({bundle("", Machine::x86_64)}), Words{});
    EXPECT_EQ(why({bundle("", Machine::x86_64)}),
              Words{"mod.so (x86_64): does not say the oldest macOS that it runs on"});
}

}  // namespace
}  // namespace nasm_build::inspect::testing
