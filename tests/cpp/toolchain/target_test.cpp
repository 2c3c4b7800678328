// The whole table of targets, and the platform words that lead to it.
#include "toolchain/target.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace nasm_build::toolchain {
namespace {

struct ErrorText {
    std::string message;
    std::string fix;
};

ErrorText error_of(std::string_view platform, unsigned pointer_bits = 64) {
    try {
        (void)find_target(platform, pointer_bits);
    } catch (const Error& error) {
        return {error.what(), error.fix()};
    }
    return {"no error", ""};
}

TEST(FindTarget, KnowsLinux) {
    const Target target = find_target("linux-x86_64");
    EXPECT_EQ(target.name, "linux-x86_64");
    EXPECT_EQ(target.platform, "linux-x86_64");
    EXPECT_TRUE(target.assembles);
    EXPECT_EQ(target.object_format, "elf64");
    EXPECT_EQ(target.object_suffix, ".o");
    EXPECT_EQ(target.symbol_prefix, "");
    EXPECT_EQ(target.debug_format, "dwarf");
    EXPECT_EQ(target.defines, (std::vector<std::string>{"PIE", "LINUX"}));
    EXPECT_EQ(target.link_style, LinkStyle::elf);
    EXPECT_EQ(target.c_library, CLibrary::gnu);
    EXPECT_EQ(find_target("linux-x86_64", 64, CLibrary::musl).c_library, CLibrary::musl);
}

TEST(FindTarget, KnowsMacos) {
    for (const char* word : {"macosx-11.0-x86_64", "macosx-10.9-x86_64", "macosx-14-x86_64", "macosx-x86_64"}) {
        const Target target = find_target(word);
        EXPECT_EQ(target.name, "macosx-x86_64") << word;
        EXPECT_EQ(target.platform, word);
        EXPECT_TRUE(target.assembles) << word;
        EXPECT_EQ(target.object_format, "macho64");
        EXPECT_EQ(target.object_suffix, ".o");
        EXPECT_EQ(target.symbol_prefix, "_");
        EXPECT_EQ(target.debug_format, "dwarf");
        EXPECT_EQ(target.defines, (std::vector<std::string>{"NOPIE", "MACOS"}));
        EXPECT_EQ(target.link_style, LinkStyle::macho);
        EXPECT_EQ(target.c_library, CLibrary::not_applicable);
    }
}

TEST(FindTarget, KnowsWindows) {
    const Target target = find_target("win-amd64");
    EXPECT_EQ(target.name, "win-amd64");
    EXPECT_EQ(target.platform, "win-amd64");
    EXPECT_TRUE(target.assembles);
    EXPECT_EQ(target.object_format, "win64");
    EXPECT_EQ(target.object_suffix, ".obj");
    EXPECT_EQ(target.symbol_prefix, "");
    EXPECT_EQ(target.debug_format, "cv8");
    EXPECT_EQ(target.defines, (std::vector<std::string>{"NOPIE", "WINDOWS"}));
    EXPECT_EQ(target.link_style, LinkStyle::coff);
    EXPECT_EQ(target.c_library, CLibrary::not_applicable);
}

TEST(FindTarget, AssemblesOneHalfOfAUniversalModule) {
    const Target target = find_target("macosx-11.0-universal2");
    EXPECT_EQ(target.name, "macosx-11.0-universal2");
    EXPECT_TRUE(target.assembles);
    EXPECT_EQ(target.object_format, "macho64");
    EXPECT_EQ(target.link_style, LinkStyle::macho);
    EXPECT_EQ(target.fallback_half, "arm64");
    EXPECT_EQ(find_target("macosx-11.0-x86_64").fallback_half, "");
}

TEST(FindTarget, FallsBackEverywhereElse) {
    for (const char* word : {"linux-aarch64",
                             "linux-armv7l",
                             "linux-i686",
                             "linux-ppc64le",
                             "linux-s390x",
                             "linux-riscv64",
                             "linux-loongarch64",
                             "macosx-11.0-arm64",
                             "macosx-10.6-intel",
                             "macosx-10.4-fat",
                             "win32",
                             "win-arm64",
                             "win-arm32",
                             "mingw_x86_64_ucrt_gnu",
                             "mingw_x86_64",
                             "mingw_i686_msvcrt_gnu",
                             "msys-3.5.4-x86_64",
                             "cygwin-3.4.6-x86_64",
                             "freebsd-14.1-release-amd64",
                             "openbsd-7.5-amd64",
                             "netbsd-10.0-amd64",
                             "dragonfly-6.4-release-x86_64",
                             "solaris-2.11-sun4v",
                             "sunos-5.11-i86pc",
                             "aix-7203-2246-64",
                             "gnu-0.9-i686-at386",
                             "emscripten-3.1.58-wasm32",
                             "emscripten_3_1_58_wasm32",
                             "pyodide_2025_0_wasm32",
                             "wasi-0.0.0-wasm32",
                             "ios-13.0-arm64-iphoneos",
                             "ios-13.0-x86_64-iphonesimulator",
                             "android-24-x86_64",
                             "android-21-arm64_v8a"}) {
        const Target target = find_target(word);
        EXPECT_EQ(target.name, word);
        EXPECT_EQ(target.platform, word);
        EXPECT_FALSE(target.assembles) << word;
        EXPECT_EQ(target.object_format + target.object_suffix + target.symbol_prefix + target.debug_format, "") << word;
        EXPECT_TRUE(target.defines.empty()) << word;
        EXPECT_EQ(target.link_style, LinkStyle::none) << word;
    }
}

TEST(FindTarget, A32BitPythonIsAnotherTarget) {
    const Target x86 = find_target("linux-x86_64", 32);
    EXPECT_EQ(x86.name, "linux-i686");
    EXPECT_EQ(x86.platform, "linux-x86_64");
    EXPECT_FALSE(x86.assembles);
    EXPECT_EQ(find_target("linux-aarch64", 32).name, "linux-armv7l");
    EXPECT_EQ(find_target("linux-i686", 32).name, "linux-i686");
    EXPECT_EQ(find_target("linux-armv7l", 32).name, "linux-armv7l");
    EXPECT_EQ(find_target("win32", 32).name, "win32");
    const ErrorText windows = error_of("win-amd64", 32);
    EXPECT_EQ(windows.message, "a Python of win-amd64 has 64-bit pointers, not 32-bit ones");
    EXPECT_EQ(windows.fix, "give --target win32 for a 32-bit Python, or leave out --pointer-bits 32");
    const ErrorText macos = error_of("macosx-11.0-x86_64", 32);
    EXPECT_EQ(macos.message, "a Python of macosx-11.0-x86_64 has 64-bit pointers, not 32-bit ones");
    EXPECT_EQ(macos.fix, "leave out --pointer-bits 32");
    EXPECT_EQ(error_of("linux-x86_64", 16).message, "no CPython has 16-bit pointers");
}

TEST(FindTarget, RefusesWhatIsNoPlatform) {
    const std::string how =
        "give the platform as sysconfig.get_platform() prints it: linux-x86_64, macosx-11.0-x86_64, win-amd64";
    for (const char* word : {"", "linux", "linux-", "windows", "windows-x86_64", "x86_64-linux-gnu", "darwin", "any",
                             "win", "win-", "winter", "macosx", "macosx-", "macosx-11.0", "macosx-11.-x86_64", "win64",
                             "freebsdish", "linux-x86_64; rm", "linux x86"}) {
        EXPECT_EQ(error_of(word).message, "`" + std::string(word) + "` is no platform");
        EXPECT_EQ(error_of(word).fix, how) << word;
    }
    for (const auto& [word, meant] :
         {std::pair{"linux_x86_64", "linux-x86_64"}, std::pair{"win_amd64", "win-amd64"},
          std::pair{"macos-x86_64", "macosx-x86_64"}, std::pair{"Linux-x86_64", "linux-x86_64"}}) {
        EXPECT_EQ(error_of(word).message, "`" + std::string(word) + "` is no platform");
        EXPECT_EQ(error_of(word).fix, "did you mean " + std::string(meant) + "? Otherwise " + how);
    }
}

TEST(FindTargetOfTag, ReadsTheTagsOfWheels) {
    struct Row {
        const char* tag;
        const char* platform;
        bool assembles;
        CLibrary c_library;
    };
    for (const Row& row : {
             Row{"linux_x86_64", "linux-x86_64", true, CLibrary::gnu},
             Row{"manylinux1_x86_64", "linux-x86_64", true, CLibrary::gnu},
             Row{"manylinux2014_x86_64", "linux-x86_64", true, CLibrary::gnu},
             Row{"manylinux_2_17_x86_64", "linux-x86_64", true, CLibrary::gnu},
             Row{"manylinux_2_28_aarch64", "linux-aarch64", false, CLibrary::gnu},
             Row{"manylinux2014_i686", "linux-i686", false, CLibrary::gnu},
             Row{"musllinux_1_2_x86_64", "linux-x86_64", true, CLibrary::musl},
             Row{"macosx_11_0_x86_64", "macosx-11.0-x86_64", true, CLibrary::not_applicable},
             Row{"macosx_10_9_universal2", "macosx-10.9-universal2", true, CLibrary::not_applicable},
             Row{"macosx_11_0_arm64", "macosx-11.0-arm64", false, CLibrary::not_applicable},
             Row{"win_amd64", "win-amd64", true, CLibrary::not_applicable},
             Row{"win_arm64", "win-arm64", false, CLibrary::not_applicable},
             Row{"win32", "win32", false, CLibrary::not_applicable},
         }) {
        const std::optional<Target> target = find_target_of_tag(row.tag);
        ASSERT_TRUE(target.has_value()) << row.tag;
        EXPECT_EQ(target->platform, row.platform) << row.tag;
        EXPECT_EQ(target->assembles, row.assembles) << row.tag;
        EXPECT_EQ(target->c_library, row.c_library) << row.tag;
    }
    for (const char* tag : {"any", "", "manylinux_2_x86_64", "musllinux_x86_64", "manylinuxx86_64", "macosx_11_x86_64",
                            "macosx_x_0_x86_64", "windows", "nonsense"}) {
        EXPECT_FALSE(find_target_of_tag(tag).has_value()) << tag;
    }
}

TEST(HostPlatform, IsATarget) {
    EXPECT_EQ(find_target(host_platform()).platform, host_platform());
#if defined(__linux__) && defined(__x86_64__)
    EXPECT_EQ(host_platform(), "linux-x86_64");
#endif
}

TEST(LinkStyle, HasAWord) {
    EXPECT_STREQ(name_of(LinkStyle::elf), "elf");
    EXPECT_STREQ(name_of(LinkStyle::macho), "macho");
    EXPECT_STREQ(name_of(LinkStyle::coff), "coff");
    EXPECT_STREQ(name_of(LinkStyle::none), "none");
}

}  // namespace
}  // namespace nasm_build::toolchain
