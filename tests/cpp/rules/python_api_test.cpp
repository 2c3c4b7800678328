#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const std::string& symbol, const std::string& python, Format format = Format::elf) {
    return check_python_api(module_with(format, symbol), for_python(python));
}

TEST(PythonApi, WhatIsThereIsFine) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check("PyLong_FromLong", "3.13", format)), Lines{});
        EXPECT_EQ(lines(check("_Py_NoneStruct", "3.10", format)), Lines{});
    }
    EXPECT_EQ(lines(check("PyErr_SetFromWindowsErr", "3.13", Format::pe)), Lines{});
    EXPECT_EQ(lines(check("_Py_DecRefShared", "3.13t")), Lines{});
    EXPECT_EQ(lines(check("_Py_RefTotal", "3.13d")), Lines{});
}

TEST(PythonApi, AMisspeltNameIsNamed) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check("PyLong_FromLongg", "3.13", format)),
                  (Lines{"error: no CPython has PyLong_FromLongg; did you mean PyLong_FromLong? "
                         "[python-symbol-unknown]",
                         "fix: spell it PyLong_FromLong"}));
    }
    EXPECT_EQ(check("PyLong_FromLongg", "3.13").findings.front().symbol, "PyLong_FromLongg");
    EXPECT_EQ(lines(check("PyQuux_Frobnicate", "3.13")),
              (Lines{"error: no CPython from 3.6 to 3.15 has PyQuux_Frobnicate [python-symbol-unknown]",
                     "fix: use a name that CPython's C API has, or link the library that has this one"}));
}

TEST(PythonApi, AnotherLibraryMayHaveAnUnknownName) {
    Image image = module_with(Format::elf, "PyQuux_Frobnicate");
    image.libraries = {library("libquux.so.1")};
    EXPECT_EQ(lines(check_python_api(image, for_python("3.13"))), Lines{});
    image.imports = {imported("PyLong_FromLongg")};
    EXPECT_EQ(lines(check_python_api(image, for_python("3.13"))).front(),
              "warning: no CPython has PyLong_FromLongg; did you mean PyLong_FromLong? [python-symbol-unknown]");
}

TEST(PythonApi, NotYet) {
    EXPECT_EQ(lines(check("PyModule_FromSlotsAndSpec", "3.11")),
              (Lines{"error: PyModule_FromSlotsAndSpec came with CPython 3.15; this module is for CPython 3.11 "
                     "[python-symbol-missing]",
                     "fix: use what CPython 3.11 has, or build for CPython 3.15 and later"}));
    EXPECT_EQ(lines(check("PyLong_AsInt", "3.11")).front(),
              "error: PyLong_AsInt came with CPython 3.13; this module is for CPython 3.11 [python-symbol-missing]");
}

TEST(PythonApi, NoLonger) {
    EXPECT_EQ(lines(check("_PyLong_AsInt", "3.13")),
              (Lines{"error: _PyLong_AsInt was removed in CPython 3.13; this module is for CPython 3.13 "
                     "[python-symbol-missing]",
                     "fix: use PyLong_AsInt, which CPython 3.13 has"}));
}

TEST(PythonApi, OnlyAnotherBuildHasIt) {
    EXPECT_EQ(lines(check("_Py_DecRefShared", "3.13")).front(),
              "error: only the free-threaded build of CPython 3.13 has _Py_DecRefShared [python-symbol-missing]");
    EXPECT_EQ(lines(check("_Py_RefTotal", "3.13")).front(),
              "error: only debug builds of CPython 3.13 have _Py_RefTotal [python-symbol-missing]");
    EXPECT_EQ(lines(check("PyErr_SetFromWindowsErr", "3.13")).front(),
              "error: CPython 3.13 has PyErr_SetFromWindowsErr on Windows, not on this platform "
              "[python-symbol-missing]");
}

TEST(PythonApi, AnUnknownPythonStillTellsMisspeltNames) {
    Expectations expected;
    expected.module_name = "pymult";
    EXPECT_EQ(lines(check_python_api(module_with(Format::elf, "PyLong_FromLongg"), expected)),
              (Lines{"error: no CPython has PyLong_FromLongg; did you mean PyLong_FromLong? [python-symbol-unknown]",
                     "fix: spell it PyLong_FromLong",
                     "not checked: python-symbol-missing, because nobody said which CPython the module is for (give "
                     "--python, or --abi3)"}));
}

TEST(PythonApi, APythonWithoutDataIsNotPassedSilently) {
    EXPECT_EQ(lines(check("PyLong_FromLong", "3.16")),
              Lines{"not checked: python-symbol-missing, because there is no list of the names that CPython 3.16 "
                    "exports"});
    EXPECT_EQ(lines(check("PyLong_FromTheFuture", "3.16")).size(), 1U) << "3.16 may have it";
    EXPECT_EQ(lines(check("PyLong_FromLong", "3.5")),
              Lines{"not checked: python-symbol-missing, because there is no list of the names that CPython 3.5 "
                    "exports"});
}

TEST(PythonApi, NamesBoundToOtherLibrariesAreNotPythons) {
    Image image = module_with(Format::macho, "PyQuux_New");
    image.imports.front().flat = false;
    image.imports.front().library = "@loader_path/libquux.dylib";
    EXPECT_EQ(lines(check_python_api(image, for_python("3.13"))), Lines{});
    image = module_with(Format::pe, "PyQuux_New");
    image.imports.front().library = "quux.dll";
    EXPECT_EQ(lines(check_python_api(image, for_python("3.13"))), Lines{});
    image = module_with(Format::elf, "PyQuux_New");
    image.imports.front().version = "QUUX_1.0";
    EXPECT_EQ(lines(check_python_api(image, for_python("3.13"))), Lines{});
    image = module_with(Format::elf, "PyLong_AsInt");
    image.imports.front().weak = true;
    EXPECT_EQ(lines(check_python_api(image, for_python("3.11"))), Lines{}) << "the module looks whether it is there";
}

TEST(PythonApi, OtherImplementationsAreNotChecked) {
    Expectations expected;
    expected.other_implementation = "PyPy";
    EXPECT_EQ(lines(check_python_api(module_with(Format::elf, "PyPyLong_FromLong"), expected)),
              Lines{"not checked: python-symbol-missing, because the module is for PyPy"});
}

TEST(PythonApi, PrivateNamesAreListedInOneNote) {
    Image image = module_with(Format::elf, "_PyObject_GetDictPtr");
    image.imports.push_back(imported("_PyType_Lookup"));
    image.imports.push_back(imported("_Py_Dealloc"));  // of the stable ABI
    EXPECT_EQ(
        lines(check_python_api(image, for_python("3.13"))),
        (Lines{
            "note: needs 2 private names of CPython, which any release may change: _PyObject_GetDictPtr and _PyType_Lookup "
            "[private-names]",
            "fix: use the public functions that do the same"}));
}

}  // namespace
}  // namespace nasm_build::inspect::testing
