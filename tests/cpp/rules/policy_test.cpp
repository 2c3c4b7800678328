// What a Linux tag promises against what a binary needs, and which tags there are.
#include <gtest/gtest.h>

#include "images.hpp"
#include "inspect/tags/platform_tag.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* bundle_fix =
    "fix: let auditwheel repair put it into the wheel, or link it statically; else the wheel's tag is that of the machine "
    "that built it (platform-tag = \"linux\")";

Image needing(const std::string& name, const std::string& version = {}) {
    Image image = module_of(Format::elf);
    image.libraries = {library(name)};
    if (!version.empty()) {
        image.needed_versions = {{name, version, false}};
        image.imports = {imported("wanted")};
        image.imports.front().version = version;
    }
    return image;
}

Expectations tagged(std::vector<std::string> tags) {
    Expectations expected = for_target("linux-x86_64");
    expected.platform_tags = std::move(tags);
    return expected;
}

Lines check(const Image& image, std::vector<std::string> tags) {
    return lines(check_policy(image, tagged(std::move(tags))));
}

TEST(Policy, ATagThatPromisesNothingElsewhere) {
    EXPECT_EQ(check(needing("libquux.so.1"), {"linux_x86_64"}), Lines{});
    const Verdict verdict = check_policy(needing("libquux.so.1"), tagged({}));
    ASSERT_EQ(verdict.not_applicable.size(), 2U);
    EXPECT_EQ(verdict.not_applicable[0].reason, "no tag promises other Linux machines than the one that built it");
}

TEST(Policy, LibrariesOfTheTag) {
    EXPECT_EQ(check(needing("libz.so.1"), {"manylinux_2_17_x86_64"}), Lines{});
    EXPECT_EQ(check(needing("libmvec.so.1"), {"manylinux_2_24_x86_64"}), Lines{});
    EXPECT_EQ(check(needing("libmvec.so.1"), {"manylinux_2_17_x86_64", "manylinux2014_x86_64"}),
              (Lines{"error: needs libmvec.so.1, which is not in the wheel, and which manylinux_2_17_x86_64 does not "
                     "promise [library-not-allowed]",
                     bundle_fix}));
    EXPECT_EQ(check(needing("libstdc++.so.6"), {"musllinux_1_2_x86_64"}),
              (Lines{"error: needs libstdc++.so.6, which is not in the wheel, and which musllinux_1_2_x86_64 does not "
                     "promise [library-not-allowed]",
                     bundle_fix}));
    EXPECT_EQ(check(needing("libc.musl-x86_64.so.1"), {"musllinux_1_2_x86_64"}), Lines{});
    EXPECT_EQ(check(needing("libpython3.13.so.1.0"), {"manylinux_2_17_x86_64"}), Lines{}) << "libpython-linked says it";
}

TEST(Policy, WhatMayComeFromElsewhereIsAWarning) {
    const std::string warning =
        "warning: needs {}, which is not in the wheel, and which manylinux_2_17_x86_64 does not "
        "promise [library-not-allowed]";
    const auto said = [&](const std::string& name) {
        std::string text = warning;
        return Lines{text.replace(text.find("{}"), 2, name), bundle_fix};
    };
    EXPECT_EQ(check(needing("libcuda.so.1"), {"manylinux_2_17_x86_64"}), said("libcuda.so.1"));
    Image searching = needing("libquux.so.1");
    searching.run_paths = {"$ORIGIN/../quux"};
    EXPECT_EQ(check(searching, {"manylinux_2_17_x86_64"}), said("libquux.so.1"));
    Expectations expected = tagged({"manylinux_2_17_x86_64"});
    auto contents = std::make_shared<WheelContents>();
    contents->has_dependencies = true;
    expected.wheel = contents;
    EXPECT_EQ(lines(check_policy(needing("libquux.so.1"), expected)), said("libquux.so.1"));
    contents->binaries = {"libquux.so.1"};
    EXPECT_EQ(lines(check_policy(needing("libquux.so.1"), expected)), Lines{}) << "the wheel brings it";
}

TEST(Policy, VersionsOfTheTag) {
    EXPECT_EQ(check(needing("libc.so.6", "GLIBC_2.17"), {"manylinux_2_17_x86_64"}), Lines{});
    EXPECT_EQ(check(needing("libc.so.6", "GLIBC_2.18"), {"manylinux_2_18_x86_64"}), Lines{});
    EXPECT_EQ(check(needing("libc.so.6", "GLIBC_2.18"), {"manylinux_2_28_x86_64", "manylinux_2_17_x86_64"}),
              (Lines{"error: needs wanted@GLIBC_2.18 of libc.so.6, which is newer than manylinux_2_17_x86_64 promises "
                     "[symbol-version]",
                     "fix: tag the wheel manylinux_2_18_x86_64, or build it where glibc is 2.17 or older"}))
        << "the lowest tag counts";
    EXPECT_EQ(
        check(needing("libstdc++.so.6", "GLIBCXX_3.4.999"), {"manylinux_2_17_x86_64"}),
        (Lines{"error: needs wanted@GLIBCXX_3.4.999 of libstdc++.so.6, which is newer than manylinux_2_17_x86_64 "
               "promises [symbol-version]",
               "fix: build it against an older libstdc++.so.6, or let auditwheel repair put that into the wheel"}));
    Image weak = needing("libc.so.6", "GLIBC_2.34");
    weak.needed_versions.front().weak = true;
    EXPECT_EQ(check(weak, {"manylinux_2_17_x86_64"}), Lines{}) << "the loader goes on without it";
    EXPECT_EQ(check(needing("libasound.so.2", "ALSA_0.9"), {"manylinux_2_17_x86_64"}).size(), 2U)
        << "the library alone";
}

TEST(Policy, AMachineWithoutAPolicy) {
    Image image = needing("libc.so.6", "GLIBC_2.34");
    image.machine = Machine::unknown;
    EXPECT_EQ(check(image, {"manylinux_2_17_x86_64"}),
              (Lines{"not checked: library-not-allowed, because nothing is known of what manylinux promises on unknown",
                     "not checked: symbol-version, because nothing is known of what manylinux promises on unknown"}));
}

TEST(Policy, TheNoteOnLibrariesIsNotSaidTwice) {
    Expectations expected = tagged({"manylinux_2_17_x86_64"});
    EXPECT_EQ(lines(check_hygiene(needing("libquux.so.1"), expected)), Lines{});
    EXPECT_EQ(lines(check_hygiene(needing("libquux.so.1"), tagged({"linux_x86_64"}))).size(), 1U);
    auto contents = std::make_shared<WheelContents>();
    contents->binaries = {"libquux.so.1"};
    expected = tagged({"linux_x86_64"});
    expected.wheel = contents;
    EXPECT_EQ(lines(check_hygiene(needing("libquux.so.1"), expected)), Lines{}) << "the wheel brings it";
}

TEST(PlatformTags, ThatInstallersTake) {
    for (const char* tag :
         {"any", "linux_x86_64", "linux_armv7l", "manylinux1_i686", "manylinux2014_aarch64", "manylinux_2_28_x86_64",
          "musllinux_1_2_s390x", "macosx_11_0_arm64", "macosx_10_9_universal2", "win32", "win_amd64", "win_arm64",
          "ios_13_0_arm64_iphoneos", "android_21_arm64_v8a", "freebsd_14_0_amd64", "linux_e2k"}) {
        EXPECT_TRUE(is_known_to_installers(tag)) << tag;
    }
    for (const char* tag : {"linux_x86_64_v3", "linux_x86_64v2", "manylinux_2_28_x86_64_v2", "manylinux_3_0_x86_64",
                            "manylinux_x86_64", "manylinux2015_x86_64", "musllinux_1_x86_64", "macosx_11_arm64",
                            "macosx_11_0_arm64e", "win_amd64_v3", "win64"}) {
        EXPECT_FALSE(is_known_to_installers(tag)) << tag;
    }
}

}  // namespace
}  // namespace nasm_build::inspect::testing
