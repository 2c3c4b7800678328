#include "inspect/expectations.hpp"

#include <gtest/gtest.h>

namespace nasm_build::inspect {
namespace {

// What a name says, in one line: module, CPython, target; and what else is not as usual.
std::string said(const Expectations& found) {
    std::string text = found.module_name;
    text += found.python ? " | " + describe(*found.python) : " | -";
    for (const toolchain::Target& target : found.targets) {
        text += " | " + describe(target);
    }
    text += found.is_extension_module ? "" : " | library";
    text += found.has_module_suffix ? "" : " | plain suffix";
    text += found.is_package ? " | package" : "";
    text += found.unversioned_abi ? std::string(" | ") + toolchain::name_of(*found.unversioned_abi) : "";
    text += found.other_implementation.empty() ? "" : " | " + found.other_implementation;
    text += found.promised_elsewhere ? " | elsewhere" : "";
    return text;
}

std::string path(std::string_view name) {
    return said(expectations_from_path(name));
}

std::string wheel(std::string_view name) {
    Expectations found = expectations_from_wheel_name(name);
    found.has_module_suffix = true;
    return said(found);
}

TEST(FileName, OfLinux) {
    EXPECT_EQ(path("pkg/mod.cpython-313-x86_64-linux-gnu.so"), "pkg.mod | CPython 3.13 | linux-x86_64");
    EXPECT_EQ(path("mod.cpython-313t-x86_64-linux-gnu.so"), "mod | CPython 3.13t | linux-x86_64");
    EXPECT_EQ(path("mod.cpython-313td-aarch64-linux-gnu.so"), "mod | CPython 3.13td | linux-aarch64");
    EXPECT_EQ(path("mod.cpython-36m-x86_64-linux-gnu.so"), "mod | CPython 3.6 | linux-x86_64");
    EXPECT_EQ(path("mod.cpython-312-x86_64-linux-musl.so"), "mod | CPython 3.12 | linux-x86_64 (musl)");
    EXPECT_EQ(path("mod.cpython-310-i386-linux-gnu.so"), "mod | CPython 3.10 | linux-i686");
    EXPECT_EQ(path("mod.cpython-310-arm-linux-gnueabihf.so"), "mod | CPython 3.10 | linux-armv7l");
    EXPECT_EQ(path("mod.cpython-310-powerpc64le-linux-gnu.so"), "mod | CPython 3.10 | linux-ppc64le");
}

TEST(FileName, OfTheStableAbi) {
    EXPECT_EQ(path("mod.abi3.so"), "mod | - | abi3");
    EXPECT_EQ(path("mod.abi3-x86_64-linux-gnu.so"), "mod | - | linux-x86_64 | abi3");
    EXPECT_EQ(path("mod.abi3t.so"), "mod | - | abi3t");
}

TEST(FileName, OfMacosAndWindows) {
    EXPECT_EQ(path("mod.cpython-313-darwin.so"), "mod | CPython 3.13");
    EXPECT_EQ(expectations_from_path("mod.cpython-313-darwin.so").format, Format::macho);
    EXPECT_EQ(path("pkg\\mod.cp313-win_amd64.pyd"), "pkg.mod | CPython 3.13 | win-amd64");
    EXPECT_EQ(path("mod.cp313t-win_arm64.pyd"), "mod | CPython 3.13t | win-arm64");
    EXPECT_EQ(path("mod_d.cp313-win32.pyd"), "mod | CPython 3.13d | win32");
    EXPECT_EQ(path("mod.cp312-mingw_x86_64.pyd"), "mod | CPython 3.12 | mingw_x86_64");
    EXPECT_EQ(path("mod.pyd"), "mod | -");
    EXPECT_EQ(expectations_from_path("mod.PYD").format, Format::pe);
}

TEST(FileName, WithoutATag) {
    EXPECT_EQ(path("pkg/mod.so"), "pkg.mod | - | plain suffix");
    EXPECT_EQ(path("mod.something.so"), "mod | - | library | plain suffix");
}

TEST(FileName, OfAPackage) {
    EXPECT_EQ(path("pkg/sub/__init__.cpython-313-darwin.so"), "pkg.sub | CPython 3.13 | package");
    EXPECT_EQ(path("/site/pkg/__init__.abi3.so"), "pkg | - | package | abi3");
}

TEST(FileName, OfAnAbsolutePathGivesTheLastPart) {
    EXPECT_EQ(path("/home/me/pkg/mod.abi3.so"), "mod | - | abi3");
    EXPECT_EQ(path("C:\\work\\mod.cp313-win_amd64.pyd"), "mod | CPython 3.13 | win-amd64");
}

TEST(FileName, InAWheelsDataFolder) {
    EXPECT_EQ(path("pkg-1.0.data/platlib/pkg/mod.abi3.so"), "pkg.mod | - | abi3");
}

TEST(FileName, OfLibraries) {
    for (const char* const name : {"pkg.libs/libz-1234.so.1.2", "pkg/libfoo.so.1", "pkg/foo.dll", "pkg/libfoo.dylib",
                                   "pkg/.dylibs/mod.abi3.so", "pkg.libs/libgfortran.so"}) {
        EXPECT_FALSE(expectations_from_path(name).is_extension_module) << name;
        EXPECT_FALSE(expectations_from_path(name).has_module_suffix) << name;
    }
}

TEST(FileName, OfOtherImplementations) {
    EXPECT_EQ(path("mod.pypy310-pp73-x86_64-linux-gnu.so"), "mod | - | PyPy");
    EXPECT_EQ(path("mod.graalpy250-311-native-x86_64-linux.so"), "mod | - | GraalPy");
}

TEST(WheelName, Tags) {
    EXPECT_EQ(wheel("name-1.0-cp313-cp313t-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
              " | CPython 3.13t | linux-x86_64 | elsewhere");
    EXPECT_EQ(wheel("dist/name-1.0-1-cp313-cp313-linux_x86_64.whl"), " | CPython 3.13 | linux-x86_64");
    EXPECT_EQ(wheel("name-1.0-cp310-abi3-musllinux_1_2_x86_64.whl"),
              " | CPython 3.10 and later (abi3) | linux-x86_64 (musl) | elsewhere");
    EXPECT_EQ(wheel("name-1.0-cp315-abi3.abi3t-win_amd64.whl"),
              " | CPython 3.15 and later (abi3t) | win-amd64 | elsewhere");
    EXPECT_EQ(wheel("name-1.0-cp313-cp313-macosx_10_13_x86_64.macosx_11_0_arm64.whl"),
              " | CPython 3.13 | macosx-x86_64 | macosx-11.0-arm64 | elsewhere");
    EXPECT_EQ(wheel("name-1.0-cp36-cp36m-win32.whl"), " | CPython 3.6 | win32 | elsewhere");
    EXPECT_EQ(wheel("name-1.0-py3-none-win_amd64.whl"), " | - | win-amd64 | elsewhere");
    EXPECT_EQ(wheel("name-1.0-cp313-none-win_amd64.whl"), " | CPython 3.13 | win-amd64 | elsewhere");
    EXPECT_EQ(wheel("name-1.0-py3-none-any.whl"), " | -");
    EXPECT_EQ(wheel("name-1.0-pp310-pypy310_pp73-win_amd64.whl"), " | - | win-amd64 | PyPy | elsewhere");
    EXPECT_EQ(wheel("name-1.0-cp312.cp311-cp311.cp312-linux_x86_64.whl"), " | CPython 3.11 | linux-x86_64");
    EXPECT_EQ(wheel("name.zip"), " | -");
    EXPECT_EQ(wheel("name.whl"), " | -");
}

Expectations merged(std::string_view file, std::string_view wheel_name, const CommandLineExpectations& options = {}) {
    return merge(expectations_from_path(file), expectations_from_wheel_name(wheel_name), options);
}

std::vector<std::string> conflicts(const Expectations& found) {
    std::vector<std::string> all;
    for (const Conflict& one : found.conflicts) {
        all.push_back(one.said + " / " + one.expected + " / " + one.by);
    }
    return all;
}

using Words = std::vector<std::string>;

TEST(Merge, TheWheelsTagWinsOverTheFilesName) {
    EXPECT_EQ(said(merged("mod.abi3.so", "n-1-cp310-abi3-linux_x86_64.whl")),
              "mod | CPython 3.10 and later (abi3) | linux-x86_64");
    EXPECT_EQ(said(merged("mod.so", "n-1-cp313-cp313-linux_x86_64.whl")),
              "mod | CPython 3.13 | linux-x86_64 | plain suffix");
    EXPECT_EQ(said(merged("mod.cpython-313-x86_64-linux-gnu.so", "n-1-py3-none-linux_x86_64.whl")),
              "mod | CPython 3.13 | linux-x86_64");
}

TEST(Merge, TheCommandLineWins) {
    CommandLineExpectations options;
    options.name = "pkg.mod";
    options.python = toolchain::parse_python("3.12");
    options.target = toolchain::find_target("win-amd64");
    const Expectations found = merged("whatever.so", "", options);
    EXPECT_EQ(said(found), "pkg.mod | CPython 3.12 | win-amd64");
    EXPECT_EQ(conflicts(found), Words{});
}

TEST(Merge, ACompressedTagTakesTheBuildThatTheFileNames) {
    const Expectations found =
        merged("mod.cpython-313t-x86_64-linux-gnu.so", "n-1-cp313-cp313.cp313t-linux_x86_64.whl");
    EXPECT_EQ(said(found), "mod | CPython 3.13t | linux-x86_64");
    EXPECT_EQ(conflicts(found), Words{});
}

TEST(Merge, ContradictionsAreKept) {
    EXPECT_EQ(conflicts(merged("mod.cpython-312-x86_64-linux-gnu.so", "n-1-cp313-cp313-linux_x86_64.whl")),
              Words{"CPython 3.12 / CPython 3.13 / the wheel's tag"});
    EXPECT_EQ(conflicts(merged("mod.cpython-315-x86_64-linux-gnu.so", "n-1-cp312-abi3-linux_x86_64.whl")),
              Words{"CPython 3.15 / CPython 3.12 and later (abi3) / the wheel's tag"});
    EXPECT_EQ(conflicts(merged("mod.abi3.so", "n-1-cp313-cp313t-linux_x86_64.whl")),
              Words{"abi3 / CPython 3.13t / the wheel's tag"});
    EXPECT_EQ(conflicts(merged("mod.abi3t.so", "n-1-cp310-abi3-linux_x86_64.whl")),
              Words{"abi3t / CPython 3.10 and later (abi3) / the wheel's tag"});
    EXPECT_EQ(conflicts(merged("mod.cpython-312-x86_64-linux-gnu.so", "n-1-cp312-cp312-musllinux_1_2_x86_64.whl")),
              Words{"linux-x86_64 / linux-x86_64 (musl) / the wheel's tag"});
    EXPECT_EQ(conflicts(merged("mod.cpython-312-x86_64-linux-musl.so", "n-1-cp312-cp312-linux_x86_64.whl")), Words{})
        << "the plain tag does not tell musl";
    EXPECT_EQ(conflicts(merged("mod.cpython-310-x86_64-linux-gnu.so", "n-1-cp310-cp310-musllinux_1_2_x86_64.whl")),
              Words{})
        << "until 3.10 the suffix did not tell musl";
    CommandLineExpectations debug;
    debug.python = toolchain::parse_python("3.13d");
    EXPECT_EQ(conflicts(merged("mod.cpython-313-x86_64-linux-gnu.so", "", debug)), Words{});
    EXPECT_EQ(conflicts(merged("mod.cp313-win_amd64.pyd", "", debug)),
              Words{"CPython 3.13 / CPython 3.13d / the command line"});
    CommandLineExpectations options;
    options.target = toolchain::find_target("linux-x86_64");
    EXPECT_EQ(conflicts(merged("mod.cpython-312-x86_64-linux-musl.so", "", options)), Words{})
        << "the platform's word does not tell musl";
    EXPECT_EQ(conflicts(merged("mod.cp312-win_amd64.pyd", "", options)),
              Words{"win-amd64 / linux-x86_64 / the command line"});
}

}  // namespace
}  // namespace nasm_build::inspect
