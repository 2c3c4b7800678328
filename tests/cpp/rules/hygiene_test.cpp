#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const Image& image) {
    return check_hygiene(image, for_python("3.13"));
}

TEST(Hygiene, NothingToSay) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check(module_of(format))), Lines{});
    }
}

TEST(Hygiene, Exports) {
    Image image = module_of(Format::elf);
    image.exports.push_back(exported("multiply"));
    EXPECT_EQ(lines(check(image)),
              (Lines{"note: exports one name beyond its entry point: multiply [extra-exports]",
                     "fix: give each `global` line `:function hidden`, or link with a version script"}));
    for (const char* const name : {"a", "b", "c", "d", "e", "f"}) {
        image.exports.push_back(exported(name));
    }
    EXPECT_EQ(lines(check(image)).front(),
              "note: exports 7 names beyond its entry point: a, b, c, d, e and 2 more [extra-exports]");
}

TEST(Hygiene, EntryPointsOfOtherModulesAndLinkersNamesAreFine) {
    Image image = module_of(Format::elf);
    for (const char* const name : {"PyModExport_pymult", "PyInit_second", "_init", "_fini", "__bss_start"}) {
        image.exports.push_back(exported(name));
    }
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(Hygiene, Libraries) {
    Image image = module_of(Format::elf);
    image.libraries = {library("libc.so.6"), library("libpython3.13.so.1.0")};
    EXPECT_EQ(lines(check(image)), Lines{});
    image.libraries.push_back(library("libz.so.1"));
    EXPECT_EQ(lines(check(image)),
              Lines{"note: needs libz.so.1, which must be on every machine that it runs on, or come with it "
                    "[other-libraries]"});
    image = module_of(Format::pe);
    image.libraries = {library("python313.dll"), library("KERNEL32.dll"), library("VCRUNTIME140.dll")};
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(Hygiene, ALibraryMayExportAndNeed) {
    Expectations expected;
    expected.is_extension_module = false;
    Image image = module_of(Format::elf);
    image.exports.push_back(exported("multiply"));
    image.libraries = {library("libz.so.1")};
    EXPECT_EQ(lines(check_hygiene(image, expected)), Lines{});
}

TEST(Hygiene, RunPaths) {
    Image image = module_of(Format::elf);
    image.run_paths = {"$ORIGIN/../pkg.libs", "/usr/lib64", "@loader_path/.dylibs"};
    EXPECT_EQ(lines(check(image)), Lines{});
    image.run_paths = {"/tmp/build-env/lib", "/home"};
    EXPECT_EQ(lines(check(image)),
              (Lines{"warning: looks for libraries in /tmp/build-env/lib, a folder of the machine that it was built on "
                     "[build-path]",
                     "fix: link without -rpath, or use $ORIGIN",
                     "warning: looks for libraries in /home, a folder of the machine that it was built on [build-path]",
                     "fix: link without -rpath, or use $ORIGIN"}));
}

TEST(Hygiene, InstallNamesOfNeededLibraries) {
    Image image = module_of(Format::macho);
    image.libraries = {library("/usr/lib/libSystem.B.dylib"), library("@rpath/libquux.dylib"),
                       library("/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib"),
                       library("/Users/runner/work/libz.dylib"),
                       library("/usr/local/opt/python@3.13/Frameworks/Python.framework/Versions/3.13/Python")};
    const std::string said =
        "needs /opt/homebrew/opt/openssl@3/lib/libssl.3.dylib and /Users/runner/work/libz.dylib, in a folder of the machine "
        "that it was built on [build-path]";
    Expectations expected = for_target("macosx-11.0-x86_64");
    expected.is_extension_module = false;
    EXPECT_EQ(lines(check_hygiene(image, expected)),
              (Lines{"warning: " + said,
                     "fix: let delocate bring it along, or name it anew and sign again: install_name_tool -change OLD "
                     "@loader_path/NAME FILE"}));
    expected.promised_elsewhere = true;
    EXPECT_EQ(lines(check_hygiene(image, expected)).front(), "error: " + said);
    image.libraries = {library("/opt/local/lib/libz.1.dylib")};
    image.libraries.front().weak = true;
    EXPECT_EQ(lines(check_hygiene(image, expected)), Lines{}) << "a weak one may be missing";
    image.format = Format::elf;
    image.libraries.front().weak = false;
    EXPECT_EQ(lines(check_hygiene(image, expected)), Lines{}) << "install names are Mach-O's";
}

TEST(Hygiene, TheFilesOwnInstallName) {
    Image image = module_of(Format::macho);
    image.soname = "/Users/runner/work/target/release/deps/libpymult.dylib";
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"note: calls itself /Users/runner/work/target/release/deps/libpymult.dylib, a path of the machine that "
               "it was built on, where what is linked with it will look for it [build-path]",
               "fix: link it with -install_name @rpath/libpymult.dylib"}));
    for (const char* const name :
         {"@rpath/libpymult.dylib", "/DLC/pymult/.dylibs/libpymult.dylib", "libpymult.dylib"}) {
        image.soname = name;
        EXPECT_EQ(lines(check(image)), Lines{});
    }
}

}  // namespace
}  // namespace nasm_build::inspect::testing
