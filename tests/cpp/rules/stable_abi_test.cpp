#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const std::string& symbol, const std::string& floor, Format format = Format::elf) {
    Image image = module_with(format, symbol);
    if (format == Format::pe) {
        image.imports.front().library = "python3.dll";
    }
    return check_python_api(image, for_stable_abi(floor));
}

TEST(StableAbi, ItsNamesAreFine) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check("PyLong_FromLong", "3.2", format)), Lines{});
        EXPECT_EQ(lines(check("_Py_Dealloc", "3.10", format)), Lines{});
        EXPECT_EQ(lines(check("PyLong_AsInt", "3.13", format)), Lines{});
    }
    EXPECT_EQ(lines(check("PyErr_SetFromWindowsErr", "3.10", Format::pe)), Lines{});
}

TEST(StableAbi, TooYoungForThePromise) {
    EXPECT_EQ(lines(check("PyLong_AsInt", "3.10")),
              (Lines{"error: PyLong_AsInt came into the stable ABI with CPython 3.13; this module promises 3.10, and "
                     "CPython 3.10 to 3.12 do not have it [not-stable-abi]",
                     "fix: promise CPython 3.13 and later instead (py-limited-api = \"3.13\"), or use what 3.10 has"}));
    EXPECT_EQ(lines(check("PyUnicode_AsUTF8AndSize", "3.8")).front(),
              "warning: PyUnicode_AsUTF8AndSize came into the stable ABI with CPython 3.10; this module promises 3.8, "
              "and CPython 3.8 happens to have it outside the stable ABI [not-stable-abi]");
    EXPECT_EQ(lines(check("PyUnicode_AsUTF8AndSize", "3.9")).front(),
              "warning: PyUnicode_AsUTF8AndSize came into the stable ABI with CPython 3.10; this module promises 3.9, "
              "and CPython 3.9 happens to have it outside the stable ABI [not-stable-abi]");
    EXPECT_EQ(lines(check("PyUnicode_AsUTF8AndSize", "3.10")), Lines{});
    EXPECT_EQ(lines(check("PyUnicode_AsUTF8AndSize", "3.8", Format::pe)).front(),
              "error: PyUnicode_AsUTF8AndSize came into the stable ABI with CPython 3.10; this module promises 3.8, "
              "and python3.dll of CPython 3.8 does not have it [not-stable-abi]");
}

TEST(StableAbi, NotInIt) {
    EXPECT_EQ(lines(check("PyUnicode_AsUTF8", "3.10")),
              (Lines{"warning: PyUnicode_AsUTF8 is not in the stable ABI: every CPython from 3.10 to 3.15 happens to "
                     "have it, a later one may not [not-stable-abi]",
                     "fix: use PyUnicode_AsUTF8AndSize, or build one module for each CPython"}));
    EXPECT_EQ(lines(check("PyUnicode_AsUTF8", "3.10", Format::pe)).front(),
              "error: PyUnicode_AsUTF8 is not in the stable ABI, so python3.dll does not have it [not-stable-abi]");
    EXPECT_EQ(lines(check("_PyLong_AsInt", "3.10")).front(),
              "error: _PyLong_AsInt is not in the stable ABI, and CPython 3.13 and later do not have it "
              "[not-stable-abi]");
}

TEST(StableAbi, ConditionalNames) {
    EXPECT_EQ(lines(check("PyErr_SetFromWindowsErr", "3.10")),
              (Lines{"error: PyErr_SetFromWindowsErr is in the stable ABI, but not of every build, and CPython 3.10 "
                     "and later do not have it here [not-stable-abi]",
                     "fix: leave it out, or look it up when the module runs"}));
}

TEST(StableAbi, ModuleDefinitionsAreOpaqueInAbi3t) {
    EXPECT_EQ(lines(check("PyModuleDef_Init", "3.15t")),
              (Lines{"error: PyModuleDef_Init cannot be used in an abi3t module: PyModuleDef is opaque there "
                     "[not-stable-abi]",
                     "fix: export PyModExport_pymult instead of PyInit_pymult"}));
    EXPECT_EQ(lines(check("PyModuleDef_Init", "3.15")), Lines{});
}

TEST(StableAbi, AFileNameAloneSaysNoVersion) {
    Expectations expected;
    expected.module_name = "pymult";
    expected.unversioned_abi = toolchain::Abi::abi3;
    EXPECT_EQ(lines(check_python_api(module_with(Format::elf, "PyUnicode_AsUTF8"), expected)),
              (Lines{"warning: PyUnicode_AsUTF8 is not in the stable ABI [not-stable-abi]",
                     "fix: use PyUnicode_AsUTF8AndSize, or build one module for each CPython",
                     "not checked: python-symbol-missing, because nobody said which CPython the module is for (give "
                     "--python, or --abi3)"}));
}

}  // namespace
}  // namespace nasm_build::inspect::testing
