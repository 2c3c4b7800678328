#include <gtest/gtest.h>

#include "images.hpp"
#include "inspect/rules/systems.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* sign_fix = "fix: sign it when nothing changes it any more: codesign --force --sign - FILE";

Image module_for(Machine machine, const std::string& minimum) {
    Image image = module_of(Format::macho);
    image.machine = machine;
    image.minimum_system = minimum;
    if (machine == Machine::arm64) {
        image.macho.signature.state = SignatureState::read;
        image.macho.signature.pages = 4;
    }
    return image;
}

Lines said(const Image& image, const Expectations& expected) {
    return lines(check_macho_loading(image, expected));
}

TEST(MachoLoading, NothingToSay) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(said(module_of(format), for_python("3.13")), Lines{});
    }
    EXPECT_EQ(said(module_for(Machine::x86_64, "11.0"), for_target("macosx-11.0-x86_64")), Lines{});
    EXPECT_EQ(said(module_for(Machine::x86_64, "10.9"), for_target("macosx-10.13-universal2")), Lines{});
}

TEST(MachoLoading, VersionsAreReadAndCompared) {
    EXPECT_EQ(parse_system_version("10.13.4"), (SystemVersion{10, 13, 4}));
    EXPECT_EQ(parse_system_version("11.0"), (SystemVersion{11, 0, 0}));
    for (const char* const text : {"", "11", "11.", "11.x", "11.0.0.1", "11.0 "}) {
        EXPECT_EQ(parse_system_version(text), std::nullopt) << text;
    }
    EXPECT_EQ(to_string(SystemVersion{10, 13, 4}), "10.13.4");
    EXPECT_EQ(to_string(SystemVersion{11, 0, 0}), "11.0");
    EXPECT_LT((SystemVersion{10, 9}), (SystemVersion{10, 13}));
}

TEST(MachoLoading, AMinimumAboveTheTag) {
    EXPECT_EQ(said(module_for(Machine::x86_64, "12.0"), for_target("macosx-11.0-x86_64")),
              (Lines{"error: says that it needs macOS 12.0, but its tag promises macOS 11.0 [minimum-system]",
                     "fix: build it with MACOSX_DEPLOYMENT_TARGET=11.0, or take the tag macosx_12_0_x86_64"}));
    EXPECT_EQ(said(module_for(Machine::x86_64, "10.15"), for_target("macosx-10.13-universal2")),
              (Lines{"error: says that it needs macOS 10.15, but its tag promises macOS 10.13 [minimum-system]",
                     "fix: build it with MACOSX_DEPLOYMENT_TARGET=10.13, or take the tag macosx_10_15_universal2"}));
}

TEST(MachoLoading, OnlyWhatTagsKnowIsCompared) {
    EXPECT_EQ(said(module_for(Machine::x86_64, "11.3"), for_target("macosx-11.0-x86_64")), Lines{});
    EXPECT_EQ(said(module_for(Machine::x86_64, "10.14.6"), for_target("macosx-10.14-x86_64")), Lines{});
    EXPECT_EQ(said(module_for(Machine::x86_64, "12.3"), for_target("macosx-11.0-x86_64")),
              (Lines{"error: says that it needs macOS 12.3, but its tag promises macOS 11.0 [minimum-system]",
                     "fix: build it with MACOSX_DEPLOYMENT_TARGET=11.0, or take the tag macosx_12_0_x86_64"}));
}

TEST(MachoLoading, Arm64BeginsWith11) {
    EXPECT_EQ(said(module_for(Machine::arm64, "11.0"), for_target("macosx-10.9-universal2")), Lines{});
    EXPECT_EQ(said(module_for(Machine::arm64, "12.0"), for_target("macosx-10.9-universal2")).front(),
              "error: says that it needs macOS 12.0, but its tag promises macOS 11.0 [minimum-system]");
}

TEST(MachoLoading, TheLowestTagOfTheSlicesMachineCounts) {
    Expectations expected = for_target("macosx-12.0-x86_64");
    expected.targets.push_back(toolchain::find_target("macosx-10.13-arm64"));
    EXPECT_EQ(said(module_for(Machine::x86_64, "12.0"), expected), Lines{});
    expected.targets.push_back(toolchain::find_target("macosx-10.13-universal2"));
    EXPECT_EQ(said(module_for(Machine::x86_64, "12.0"), expected).front(),
              "error: says that it needs macOS 12.0, but its tag promises macOS 10.13 [minimum-system]");
}

TEST(MachoLoading, WithoutATagThereIsNoPromise) {
    const Verdict verdict = check_macho_loading(module_of(Format::macho), for_python("3.13"));
    ASSERT_EQ(verdict.not_applicable.size(), 2U);
    EXPECT_EQ(verdict.not_applicable[0].rule, "slices-differ");
    EXPECT_EQ(verdict.not_applicable[0].reason, "the file has one slice");
    EXPECT_EQ(verdict.not_applicable[1].rule, "minimum-system");
    EXPECT_EQ(verdict.not_applicable[1].reason, "no tag promises a version of macOS");
}

TEST(MachoLoading, NoBuildVersion) {
    Image image = module_for(Machine::x86_64, "");
    image.platform = "";
    constexpr const char* fix =
        "fix: give the linker -platform_version macos 11.0 11.0 (clang: -mmacosx-version-min=11.0)";
    EXPECT_EQ(said(image, for_target("macosx-11.0-x86_64")),
              (Lines{"warning: does not say which system it is for, so that dyld takes it for one of macOS 10.5 "
                     "[no-build-version]",
                     fix}));
    image = module_for(Machine::arm64, "");
    image.platform = "";
    EXPECT_EQ(said(image, for_target("macosx-11.0-arm64")),
              (Lines{"warning: does not say which system it is for, so that dyld takes it for one of macOS 11.0 "
                     "[no-build-version]",
                     fix}));
}

TEST(MachoLoading, ChainedFixups) {
    constexpr const char* fix =
        "fix: link it with -no_fixup_chains, or for macOS 11.0 and later (MACOSX_DEPLOYMENT_TARGET=11.0)";
    Image image = module_for(Machine::x86_64, "10.13");
    image.macho.chained_fixups = true;
    EXPECT_EQ(
        said(image, for_python("3.13")),
        (Lines{"error: has chained fixups and is for macOS 10.13: dyld before 10.15 refuses them [chained-fixups]",
               fix}));
    image.minimum_system = "10.15";
    EXPECT_EQ(said(image, for_python("3.13")),
              (Lines{"warning: has chained fixups and is for macOS 10.15: they are promised to work from 11.0 on "
                     "[chained-fixups]",
                     fix}));
    image.minimum_system = "11.0";
    EXPECT_EQ(said(image, for_python("3.13")), Lines{});
    EXPECT_EQ(said(image, for_target("macosx-10.13-x86_64")).at(2),
              "error: has chained fixups and is for macOS 10.13: dyld before 10.15 refuses them [chained-fixups]")
        << "the tag promises less than the file";
    image = module_for(Machine::arm64, "11.0");
    image.macho.chained_fixups = true;
    EXPECT_EQ(said(image, for_target("macosx-10.9-universal2")), Lines{}) << "no arm64 runs anything older than 11.0";
}

TEST(MachoLoading, Arm64MustBeSigned) {
    Image image = module_for(Machine::arm64, "11.0");
    image.macho.signature = {};
    EXPECT_EQ(
        said(image, for_python("3.13")),
        (Lines{"error: is not signed, and macOS loads no arm64 code without a signature [code-signature]", sign_fix}));
    image.platform = "ios-simulator";
    EXPECT_EQ(said(image, for_python("3.13")), Lines{});
    EXPECT_EQ(said(module_for(Machine::x86_64, "11.0"), for_python("3.13")), Lines{}) << "x86-64 need not be";
}

TEST(MachoLoading, AStaleSignature) {
    Image image = module_for(Machine::arm64, "11.0");
    image.macho.signature.stale_pages = 2;
    image.macho.signature.first_stale = 0x4000;
    EXPECT_EQ(
        said(image, for_python("3.13")),
        (Lines{"error: was changed after it was signed (2 of 4 pages differ, the first at byte 0x4000): macOS ends "
               "the process that loads it [code-signature]",
               sign_fix}));
    image.machine = Machine::x86_64;
    EXPECT_EQ(
        said(image, for_python("3.13")).front(),
        "warning: was changed after it was signed (2 of 4 pages differ, the first at byte 0x4000): a program with "
        "the hardened runtime refuses it [code-signature]");
}

TEST(MachoLoading, ADamagedSignature) {
    Image image = module_for(Machine::arm64, "11.0");
    image.macho.signature.state = SignatureState::damaged;
    image.macho.signature.damage = "it has no code directory";
    EXPECT_EQ(said(image, for_python("3.13")),
              (Lines{"error: has a damaged signature (it has no code directory): macOS ends the process that loads it "
                     "[code-signature]",
                     sign_fix}));
}

TEST(MachoLoading, AHashThatIsNotComputed) {
    Image image = module_for(Machine::arm64, "11.0");
    image.macho.signature.unread_hash = "SHA-384";
    EXPECT_EQ(said(image, for_python("3.13")),
              Lines{"not checked: code-signature, because its signature has hashes by SHA-384"});
}

TEST(MachoLoading, AnObjectIsNotLoaded) {
    Image image = module_for(Machine::arm64, "");
    image.platform = "";
    image.macho.signature = {};
    image.kind = FileKind::object;
    EXPECT_EQ(said(image, for_target("macosx-11.0-arm64")), Lines{});
    EXPECT_EQ(check_macho_loading(image, for_python("3.13")).not_applicable.size(), 5U);
}

}  // namespace
}  // namespace nasm_build::inspect::testing
