#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const Image& image) {
    return check_undefined_symbols(image, for_python("3.13"));
}

TEST(UndefinedSymbol, PythonsAreLeftToAnotherRule) {
    EXPECT_EQ(lines(check(module_with(Format::elf, "PyLong_FromLong"))), Lines{});
    EXPECT_EQ(lines(check(module_with(Format::elf, "PyLong_FromLongg"))), Lines{});
    EXPECT_EQ(lines(check(module_with(Format::macho, "PyLong_FromLong"))), Lines{});
}

TEST(UndefinedSymbol, NobodyHasIt) {
    EXPECT_EQ(lines(check(module_with(Format::elf, "multiply_fast"))),
              (Lines{"error: multiply_fast is not defined: CPython does not have it, and the module needs no library "
                     "[undefined-symbol]",
                     "fix: define multiply_fast, or link the library that has it: libraries = [\"…\"]"}));
    Image image = module_with(Format::elf, "multiply_fast");
    image.libraries = {library("libc.so.6"), library("libm.so.6")};
    EXPECT_EQ(lines(check(image)).front(),
              "error: multiply_fast is not defined: neither CPython nor any library that the module needs has it "
              "[undefined-symbol]");
}

TEST(UndefinedSymbol, CarriesTheSymbolSoThatTheSourceLineIsFound) {
    EXPECT_EQ(check(module_with(Format::elf, "multiply_fast")).findings.front().symbol, "multiply_fast");
    EXPECT_EQ(check(module_with(Format::elf, "printf")).findings.front().symbol, "printf");
}

TEST(UndefinedSymbol, TheCLibraryIsNamed) {
    EXPECT_EQ(lines(check(module_with(Format::elf, "sinf"))),
              (Lines{"warning: sinf is in no library that the module needs: it is found only because CPython itself "
                     "needs libm [undefined-symbol]",
                     "fix: link the library that has it: libraries = [\"m\"]"}));
    EXPECT_EQ(lines(check(module_with(Format::elf, "printf"))),
              (Lines{"warning: printf is in no library that the module needs: it is found only because CPython itself "
                     "needs the C library [undefined-symbol]",
                     "fix: link the library that has it: libraries = [\"c\"]"}));
}

TEST(UndefinedSymbol, TheLibraryOfAnOlderGlibcIsNamed) {
    EXPECT_EQ(lines(check(module_with(Format::elf, "dlopen"))).at(1),
              "fix: link the library that has it: libraries = [\"dl\"]");
    EXPECT_EQ(lines(check(module_with(Format::elf, "pthread_create"))).at(1),
              "fix: link the library that has it: libraries = [\"pthread\"]");
}

TEST(UndefinedSymbol, AMisspeltNameIsNamed) {
    EXPECT_EQ(lines(check(module_with(Format::elf, "pyLong_FromLong"))).at(1),
              "fix: spell it PyLong_FromLong, or link the library that has pyLong_FromLong: libraries = [\"…\"]");
    EXPECT_EQ(lines(check(module_with(Format::elf, "__Py_Dealloc"))).at(1),
              "fix: spell it _Py_Dealloc, without `_`: only macOS puts an underscore before names");
    Image image = module_with(Format::elf, "multiply_fasst");
    image.exports.push_back(exported("multiply_fast"));
    EXPECT_EQ(lines(check(image)).at(1),
              "fix: spell it multiply_fast, or link the library that has multiply_fasst: libraries = [\"…\"]");
}

TEST(UndefinedSymbol, IsNotSaidWhereALibraryCouldHaveIt) {
    for (const char* const name : {"libopenblas.so.0", "libc.musl-x86_64.so.1", "libz.so.1"}) {
        Image image = module_with(Format::elf, "cblas_dgemm");
        image.libraries = {library("libc.so.6"), library(name)};
        EXPECT_EQ(lines(check(image)), Lines{}) << name;
    }
}

TEST(UndefinedSymbol, VersionedAndWeakOnesAreFine) {
    Image image = module_with(Format::elf, "memcpy");
    image.imports.front().version = "GLIBC_2.14";
    EXPECT_EQ(lines(check(image)), Lines{});
    image = module_with(Format::elf, "__gmon_start__");
    image.imports.front().weak = true;
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(UndefinedSymbol, FlatLookupOnMacos) {
    Image image = module_with(Format::macho, "multiply_fast");
    EXPECT_EQ(lines(check(image)), Lines{}) << "without libSystem its symbols are flat as well";
    image.libraries = {library("/usr/lib/libSystem.B.dylib")};
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: multiply_fast is not defined: neither CPython nor any library that the module needs has "
                     "it [undefined-symbol]",
                     "fix: define multiply_fast, or link the library that has it: libraries = [\"…\"]"}));
    image.imports.front().flat = false;
    image.imports.front().library = "/usr/lib/libSystem.B.dylib";
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(UndefinedSymbol, ObjectiveCsMessagesAreLookedUpFlat) {
    Image image = module_with(Format::macho, "objc_msgSend");
    image.libraries = {library("/usr/lib/libSystem.B.dylib"), library("/usr/lib/libobjc.A.dylib")};
    EXPECT_EQ(lines(check(image)), Lines{});
    image.libraries.back() = library("/System/Library/Frameworks/AppKit.framework/Versions/C/AppKit");
    EXPECT_EQ(lines(check(image)), Lines{});
    image.libraries.pop_back();
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: objc_msgSend is not defined: neither CPython nor any library that the module needs has it "
                     "[undefined-symbol]",
                     "fix: define objc_msgSend, or link the library that has it: libraries = [\"…\"]"}));
}

TEST(UndefinedSymbol, AMissingUnderscoreOnMacos) {
    Image image = module_with(Format::macho, "PyLong_FromLong");
    image.imports.front().missing_underscore = true;
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: PyLong_FromLong has no underscore before it: macOS has the function as "
                     "_PyLong_FromLong [undefined-symbol]",
                     "fix: assemble with `--prefix _`"}));
}

TEST(UndefinedSymbol, ALongListIsCut) {
    Image image = module_of(Format::elf);
    for (int number = 0; number < 60; ++number) {
        image.imports.push_back(imported("function_number_" + std::to_string(number)));
    }
    const Verdict verdict = check(image);
    ASSERT_EQ(verdict.findings.size(), 51U);
    EXPECT_EQ(verdict.findings.back().message,
              "function_number_50, function_number_51, function_number_52, function_number_53, function_number_54 and "
              "5 more are not defined either");
}

TEST(UndefinedSymbol, PeBindsEachSymbolToItsDll) {
    Image image = module_of(Format::pe);
    image.imports = {imported("multiply_fast", "other.dll")};
    EXPECT_EQ(lines(check(image)), Lines{});
}

}  // namespace
}  // namespace nasm_build::inspect::testing
