#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* rebuild_fix =
    "fix: build it for that platform: --target, or the plat_name of the wheel, must name the machine that the code is "
    "for";

Image slice(Machine machine) {
    Image image = module_of(Format::macho);
    image.machine = machine;
    image.slice = machine == Machine::arm64 ? "arm64" : "x86_64";
    return image;
}

TEST(Platform, FitsItsTarget) {
    EXPECT_EQ(lines(check_platform(module_of(Format::elf), for_target("linux-x86_64"))), Lines{});
    EXPECT_EQ(lines(check_platform(module_of(Format::pe), for_target("win-amd64"))), Lines{});
    EXPECT_EQ(lines(check_platform(module_of(Format::macho), for_target("macosx-11.0-x86_64"))), Lines{});
    EXPECT_EQ(lines(check_platform(module_of(Format::elf), for_python("3.13"))), Lines{}) << "nobody said a target";
    Image arm = module_of(Format::elf);
    arm.machine = Machine::arm64;
    EXPECT_EQ(lines(check_platform(arm, for_target("linux-aarch64"))), Lines{});
}

TEST(Platform, AnotherFormatOrMachine) {
    EXPECT_EQ(lines(check_platform(module_of(Format::elf), for_target("win-amd64"))),
              (Lines{"error: is ELF for x86-64, but is for win-amd64 [wrong-platform]", rebuild_fix}));
    EXPECT_EQ(lines(check_platform(module_of(Format::macho), for_target("macosx-11.0-arm64"))),
              (Lines{"error: is Mach-O for x86-64, but is for macosx-11.0-arm64 [wrong-platform]", rebuild_fix}));
    EXPECT_EQ(lines(check_platform(module_of(Format::elf), for_target("linux-i686"))),
              (Lines{"error: is ELF for x86-64, but is for linux-i686 [wrong-platform]", rebuild_fix}));
    Image x32 = module_of(Format::elf);
    x32.pointer_bits = 32;
    EXPECT_EQ(lines(check_platform(x32, for_target("linux-x86_64"))),
              (Lines{"error: is ELF for x86-64 with 32-bit pointers, but is for linux-x86_64 [wrong-platform]",
                     rebuild_fix}));
}

TEST(Platform, ANameThatSaysNoMachineStillSaysAFormat) {
    Expectations expected = for_python("3.13");
    expected.format = Format::macho;
    EXPECT_EQ(lines(check_platform(module_of(Format::elf), expected)),
              (Lines{"error: is ELF for x86-64, but its name is that of a Mach-O module [wrong-platform]",
                     "fix: give it the suffix of the platform that it is built for"}));
    EXPECT_EQ(lines(check_platform(module_of(Format::macho), expected)), Lines{});
}

TEST(Platform, ASystemOfWhichNothingIsKnown) {
    EXPECT_EQ(
        lines(check_platform(module_of(Format::elf), for_target("emscripten-4.0.9-wasm32"))),
        Lines{"not checked: wrong-platform, because nothing is known of the binaries of emscripten-4.0.9-wasm32"});
}

TEST(Platform, SlicesOfAFatFile) {
    const std::vector<Image> both = {slice(Machine::x86_64), slice(Machine::arm64)};
    const std::vector<Image> intel = {slice(Machine::x86_64)};
    EXPECT_EQ(lines(check_slices(both, for_target("macosx-11.0-universal2"))), Lines{});
    EXPECT_EQ(lines(check_slices(both, for_target("macosx-11.0-x86_64"))), Lines{});
    EXPECT_EQ(lines(check_platform(both[1], for_target("macosx-11.0-x86_64"))), Lines{}) << "more than promised";
    EXPECT_EQ(lines(check_slices(intel, for_target("macosx-11.0-universal2"))),
              (Lines{"error: has no code for arm64, which macosx-11.0-universal2 promises [missing-slice]",
                     "fix: join the files of both machines (lipo -create), or promise the machine that it is for: "
                     "x86-64"}));
    EXPECT_EQ(lines(check_slices(both, for_python("3.13"))), Lines{});
}

TEST(Platform, CodeOfTwoMachinesInOnePeFile) {
    Image image = module_of(Format::pe);
    image.pe.hybrid = Hybrid::arm64ec;
    for (const char* const target : {"win-amd64", "win-arm64"}) {
        EXPECT_EQ(
            lines(check_platform(image, for_target(target))),
            (Lines{std::string("error: is PE for ARM64EC (arm64 code for emulated x86-64 processes), but is for ") +
                       target + " [wrong-platform]",
                   rebuild_fix}));
    }
    EXPECT_EQ(lines(check_platform(image, for_python("3.13"))), Lines{}) << "nobody said a target";
    image.machine = Machine::arm64;
    image.pe.hybrid = Hybrid::arm64x;
    EXPECT_EQ(lines(check_platform(image, for_target("win-arm64"))), Lines{});
    EXPECT_EQ(lines(check_platform(image, for_target("win-amd64"))),
              (Lines{"error: is PE for ARM64X (arm64, and emulated x86-64), but is for win-amd64 [wrong-platform]",
                     rebuild_fix}));
}

TEST(Platform, ALibraryOfAnotherSystemOfApple) {
    Image image = module_of(Format::macho);
    image.platform = "ios";
    image.minimum_system = "14.0";
    EXPECT_EQ(lines(check_platform(image, for_target("macosx-11.0-x86_64"))),
              (Lines{"error: is built for ios 14.0, but is for macosx-x86_64 [wrong-platform]",
                     "fix: build it for macOS: clang -target arm64-apple-macos11 (or x86_64-apple-macos10.13), ld "
                     "-platform_version macos 11.0 11.0"}));
    EXPECT_EQ(lines(check_platform(image, for_python("3.13"))), Lines{}) << "nobody said a target";
    image.platform = "";
    EXPECT_EQ(lines(check_platform(image, for_target("macosx-11.0-x86_64"))), Lines{}) << "no-build-version's to say";
}

TEST(Platform, Kinds) {
    Image image = module_of(Format::elf);
    image.kind = FileKind::object;
    EXPECT_EQ(lines(check_platform(image, for_target("linux-x86_64"))),
              (Lines{"error: is an object that was not linked yet, which cannot be loaded as a module [not-loadable]",
                     "fix: link it with -shared"}));
    image = module_of(Format::pe);
    image.kind = FileKind::executable;
    EXPECT_EQ(lines(check_platform(image, for_target("win-amd64"))),
              (Lines{"error: is not marked as a DLL, so that Windows loads it without what it imports [not-loadable]",
                     "fix: link it with /dll (gcc and clang: -shared)"}));
    image = module_of(Format::macho);
    image.kind = FileKind::other;
    EXPECT_EQ(lines(check_platform(image, for_target("macosx-11.0-x86_64"))),
              (Lines{"error: is not a library, which cannot be loaded as a module [not-loadable]",
                     "fix: link it with -bundle"}));
}

TEST(Platform, DebugSymbolsAreNotLoaded) {
    Image image = module_of(Format::macho);
    image.kind = FileKind::debug_symbols;
    const Verdict verdict = check_platform(image, for_target("macosx-11.0-x86_64"));
    EXPECT_EQ(lines(verdict), Lines{});
    ASSERT_EQ(verdict.not_applicable.size(), 1U);
    EXPECT_EQ(verdict.not_applicable[0].reason, "the file holds debug symbols alone");
}

TEST(Platform, NamesThatContradictTheTag) {
    Expectations expected = for_target("linux-x86_64");
    expected.conflicts = {{"CPython 3.12", "CPython 3.13", "the wheel's tag"}};
    EXPECT_EQ(lines(check_platform(module_of(Format::elf), expected)),
              (Lines{"error: its file name says CPython 3.12, but the wheel's tag says CPython 3.13, which does not "
                     "import a file of that name [file-name]",
                     "fix: take the file's suffix and the tag from one place (nasm-ext toolchain prints both)"}));
}

}  // namespace
}  // namespace nasm_build::inspect::testing
