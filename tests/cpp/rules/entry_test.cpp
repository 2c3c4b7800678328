#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const Image& image, const std::string& module = "pymult", const std::string& python = "3.13") {
    Expectations expected = for_python(python);
    expected.module_name = module;
    return check_entry(image, expected);
}

Image with_export(Format format, const std::string& name) {
    Image image = module_of(format);
    image.exports = {exported(name)};
    return image;
}

Image with_hidden(Format format, const std::string& name, HiddenBecause why) {
    Image image = module_of(format);
    image.exports.clear();
    image.hidden = {{name, code_address, why}};
    return image;
}

TEST(Entry, IsRightInEveryFormat) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check(module_of(format))), Lines{});
        EXPECT_EQ(lines(check(module_of(format), "pkg.sub.pymult")), Lines{});
    }
}

TEST(Entry, ALibraryHasNone) {
    Expectations expected = for_python("3.13");
    expected.is_extension_module = false;
    EXPECT_EQ(lines(check_entry(with_export(Format::elf, "compress"), expected)), Lines{});
}

TEST(Entry, OfElfHasAType) {
    Image image = module_of(Format::elf);
    for (const SymbolKind kind : {SymbolKind::function, SymbolKind::indirect_function}) {
        image.exports.front().kind = kind;
        EXPECT_EQ(lines(check(image)), Lines{});
    }
    image.exports.front().kind = SymbolKind::untyped;
    EXPECT_EQ(lines(check(image)),
              (Lines{"note: PyInit_pymult has no type: auditwheel takes the module for a library without "
                     "Python in it [entry-untyped]",
                     "fix: write `global PyInit_pymult:function` before its label"}));
    for (const Format format : {Format::pe, Format::macho}) {
        Image other = module_of(format);
        other.exports.front().kind = SymbolKind::untyped;
        EXPECT_EQ(lines(check(other)), Lines{});
    }
}

TEST(Entry, OfOtherModulesAreTold) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        Image image = module_of(format);
        image.exports.push_back(exported("PyModExport_pymult"));
        EXPECT_EQ(lines(check(image)), Lines{});
        image.exports.push_back(exported("PyInit_second"));
        EXPECT_EQ(lines(check(image)),
                  (Lines{"note: exports PyInit_second besides its own entry point: `import` looks for a file of each "
                         "module's name and does not find that one here [several-entry-points]",
                         "fix: build a file for each module, or keep an importer that asks this file for each by name "
                         "(PEP 489)"}));
        image.exports.push_back(exported("PyInit_first"));
        EXPECT_EQ(
            lines(check(image)).front(),
            "note: exports PyInit_first and PyInit_second besides its own entry point: `import` looks for a file of "
            "each module's name and does not find those here [several-entry-points]");
    }
}

TEST(Entry, NothingAtAll) {
    Image image = module_of(Format::elf);
    image.exports.clear();
    EXPECT_EQ(lines(check(image)), (Lines{"error: has no entry point: CPython looks for PyInit_pymult, and nothing of "
                                          "that name is exported [entry-missing]",
                                          "fix: write `global PyInit_pymult:function` before its label"}));
    image.format = Format::macho;
    EXPECT_EQ(lines(check(image)).at(1), "fix: write `global PyInit_pymult` before its label");
    image.format = Format::pe;
    EXPECT_EQ(lines(check(image)).at(1),
              "fix: write `global PyInit_pymult` before its label, and link with /export:PyInit_pymult");
}

TEST(Entry, ALibraryForCtypesUnderAModulesName) {
    const Image image = with_export(Format::elf, "AES_encrypt");
    EXPECT_EQ(
        lines(check(image, "pkg._aes")),
        (Lines{"warning: has no entry point and uses nothing of Python: ctypes and cffi can load it, `import _aes` "
               "fails [entry-missing]",
               "fix: write `global PyInit__aes:function` before its label"}));
    Image of_python = image;
    of_python.imports = {imported("PyModuleDef_Init")};
    EXPECT_EQ(lines(check(of_python)).front(),
              "error: has no entry point: CPython looks for PyInit_pymult, and nothing of that name is exported "
              "[entry-missing]");
}

TEST(Entry, ANearMissIsNamed) {
    EXPECT_EQ(lines(check(with_export(Format::elf, "PyInit_pymul"))),
              (Lines{"error: exports PyInit_pymul, not PyInit_pymult: CPython finds no entry point for a module named "
                     "pymult [entry-missing]",
                     "fix: spell it PyInit_pymult in the source, or name the module pymul"}));
    EXPECT_EQ(lines(check(with_export(Format::elf, "pyinit_pymult"))),
              (Lines{"error: exports pyinit_pymult, not PyInit_pymult: CPython finds no entry point for a module named "
                     "pymult [entry-missing]",
                     "fix: spell it PyInit_pymult in the source"}));
    EXPECT_EQ(lines(check(with_export(Format::pe, "PyModExport_pymutl"), "pymult", "3.15")),
              (Lines{"error: exports PyModExport_pymutl, not PyModExport_pymult: CPython finds no entry point for a "
                     "module named pymult [entry-missing]",
                     "fix: spell it PyModExport_pymult in the source, or name the module pymutl"}));
}

TEST(Entry, AnotherModulesNameIsNamed) {
    EXPECT_EQ(lines(check(with_export(Format::elf, "PyInit_something"))),
              (Lines{"error: exports PyInit_something, not PyInit_pymult: CPython finds no entry point for a module "
                     "named pymult [entry-missing]",
                     "fix: name the module something, or export PyInit_pymult"}));
    Image image = with_export(Format::elf, "PyInit_first");
    image.exports.push_back(exported("PyInit_second"));
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: exports PyInit_first and PyInit_second, not PyInit_pymult: CPython finds no entry point "
                     "for a module named pymult [entry-missing]",
                     "fix: export PyInit_pymult as well"}));
}

TEST(Entry, PythonTwo) {
    EXPECT_EQ(lines(check(with_export(Format::elf, "initpymult"))),
              (Lines{"error: exports initpymult, which Python 2 looked for; CPython 3 looks for PyInit_pymult "
                     "[entry-missing]",
                     "fix: spell it PyInit_pymult in the source, and return the module from it"}));
}

TEST(Entry, OnlyReferredTo) {
    Image image = module_of(Format::elf);
    image.exports.clear();
    image.imports = {imported("PyInit_pymult")};
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: refers to PyInit_pymult, but no object that was linked defines it [entry-missing]",
                     "fix: put a label `PyInit_pymult:` before the function's first instruction"}));
}

TEST(Entry, OneUnderscoreTooMany) {
    EXPECT_EQ(lines(check(with_export(Format::elf, "_PyInit_pymult"))),
              (Lines{"error: exports _PyInit_pymult with one underscore too many: CPython looks for PyInit_pymult "
                     "[entry-missing]",
                     "fix: assemble without `--prefix _`: only macOS puts an underscore before names"}));
}

TEST(Entry, ACppFunctionWithoutExternC) {
    const Lines said{
        "error: has PyInit_pymult as C++ names it, _Z13PyInit_pymultv, and CPython looks for PyInit_pymult [entry-missing]",
        "fix: write PyMODINIT_FUNC PyInit_pymult(void), or `extern \"C\"` before the function"};
    EXPECT_EQ(lines(check(with_export(Format::elf, "_Z13PyInit_pymultv"))), said);
    Image image = module_of(Format::elf);
    image.exports.clear();
    image.hidden = {{"_Z13PyInit_pymultv", 0x1000, HiddenBecause::visibility}};
    EXPECT_EQ(lines(check(image)), said);
    // Another length, another name: no such function.
    EXPECT_EQ(lines(check(with_export(Format::elf, "_Z99PyInit_pymultv"))).front().find("as C++ names it"),
              std::string::npos);
}

TEST(Entry, NamesBeyondAsciiArePunycode) {
    EXPECT_EQ(lines(check(with_export(Format::elf, "PyInitU_f_1gaa"), "pkg.föö")), Lines{});
    EXPECT_EQ(lines(check(with_export(Format::elf, "PyModExportU_f_1gaa"), "föö", "3.15")), Lines{});
    EXPECT_EQ(lines(check(with_export(Format::elf, "PyInit_föö"), "föö")),
              (Lines{"error: exports PyInit_föö, but for a name that is not ASCII CPython looks for PyInitU_f_1gaa "
                     "[entry-missing]",
                     "fix: spell it PyInitU_f_1gaa in the source"}));
}

TEST(Entry, APackageHasItsOwnName) {
    Expectations expected = for_python("3.13");
    expected.module_name = "pkg";
    expected.is_package = true;
    EXPECT_EQ(lines(check_entry(with_export(Format::elf, "PyInit_pkg"), expected)), Lines{});
    EXPECT_EQ(lines(check_entry(with_export(Format::elf, "PyInit___init__"), expected)),
              (Lines{"error: exports PyInit___init__, but a package's own module is named after the package: CPython "
                     "looks for PyInit_pkg [entry-missing]",
                     "fix: spell it PyInit_pkg in the source"}));
}

TEST(Entry, HiddenOnesSayWhy) {
    EXPECT_EQ(lines(check(with_hidden(Format::elf, "PyInit_pymult", HiddenBecause::local))),
              (Lines{"error: PyInit_pymult is in the file, but not exported: it was never declared global "
                     "[entry-hidden]",
                     "fix: write `global PyInit_pymult:function` before its label"}));
    EXPECT_EQ(lines(check(with_hidden(Format::elf, "PyInit_pymult", HiddenBecause::visibility))),
              (Lines{"error: PyInit_pymult is in the file, but not exported: its visibility is hidden, or the linker "
                     "was told to keep it local [entry-hidden]",
                     "fix: write `global PyInit_pymult:function` without `hidden`, and name it in the version script "
                     "if there is one: `global: PyInit_pymult;`"}));
    EXPECT_EQ(lines(check(with_hidden(Format::macho, "PyInit_pymult", HiddenBecause::visibility))).at(1),
              "fix: write `global PyInit_pymult` without `private_extern`, and add `_PyInit_pymult` to the list of "
              "exported symbols if there is one");
    EXPECT_EQ(lines(check(with_hidden(Format::macho, "PyInit_pymult", HiddenBecause::missing_underscore))),
              (Lines{"error: PyInit_pymult has no underscore before it: on macOS CPython finds the function as "
                     "_PyInit_pymult [entry-hidden]",
                     "fix: assemble with `--prefix _`"}));
    EXPECT_EQ(lines(check(with_hidden(Format::pe, "#1", HiddenBecause::ordinal_only))),
              (Lines{"error: exports #1 by number alone, and CPython looks for PyInit_pymult by name [entry-hidden]",
                     "fix: link with /export:PyInit_pymult"}));
}

TEST(Entry, MustBeCode) {
    Image image = module_of(Format::elf);
    image.exports.front().address = data_address;
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: PyInit_pymult is exported, but lies in .data, which is not executable [entry-not-code]",
                     "fix: put `section .text` before the label PyInit_pymult"}));
    image = module_of(Format::elf);
    image.exports.front().kind = SymbolKind::object;
    EXPECT_EQ(lines(check(image)),
              (Lines{"warning: PyInit_pymult is exported as data, not as a function [entry-not-code]",
                     "fix: write `global PyInit_pymult:function` before its label"}));
    image = module_of(Format::pe);
    image.exports.front().forwarded_to = "OTHER.PyInit_pymult";
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: PyInit_pymult is exported, but forwarded to OTHER.PyInit_pymult: the function is in "
                     "another DLL [entry-not-code]",
                     "fix: define PyInit_pymult in this module"}));
}

TEST(Entry, ModExportBeginsWithThreeFifteen) {
    const Image image = with_export(Format::elf, "PyModExport_pymult");
    EXPECT_EQ(lines(check(image, "pymult", "3.15")), Lines{});
    EXPECT_EQ(lines(check_entry(image, for_stable_abi("3.15t"))), Lines{});
    EXPECT_EQ(lines(check(image, "pymult", "3.14")),
              (Lines{"error: exports only PyModExport_pymult, which CPython 3.15 and later look for; this module is "
                     "for CPython 3.14 [entry-too-new]",
                     "fix: export PyInit_pymult as well, or build for CPython 3.15 and later"}));
    EXPECT_EQ(lines(check_entry(image, for_stable_abi("3.10"))).front(),
              "error: exports only PyModExport_pymult, which CPython 3.15 and later look for; this module is for "
              "CPython 3.10 and later (abi3) [entry-too-new]");
    Image both = image;
    both.exports.push_back(exported("PyInit_pymult"));
    EXPECT_EQ(lines(check(both, "pymult", "3.10")), Lines{});
}

TEST(Entry, OtherImplementationsAreNotChecked) {
    Expectations expected;
    expected.module_name = "pymult";
    expected.other_implementation = "PyPy";
    EXPECT_EQ(lines(check_entry(with_export(Format::elf, "whatever"), expected)),
              Lines{"not checked: entry-missing, because the module is for PyPy"});
}

}  // namespace
}  // namespace nasm_build::inspect::testing
