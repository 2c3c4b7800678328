#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* libpython_fix =
    "fix: link without it: leave out -lpython (python3-config --ldflags --embed adds it); the interpreter brings the "
    "symbols";

Image linked_with(Format format, const std::string& name) {
    Image image = module_of(format);
    image.libraries = {library(name)};
    return image;
}

Image importing(const std::vector<std::string>& dlls) {
    Image image = module_of(Format::pe);
    for (const std::string& dll : dlls) {
        image.libraries.push_back(library(dll));
        image.imports.push_back(imported("PyLong_FromLong", dll));
        image.imports.push_back(imported("PyErr_SetString", dll));
    }
    return image;
}

TEST(PythonLibrary, IsNotLinked) {
    EXPECT_EQ(lines(check_python_library(linked_with(Format::elf, "libc.so.6"), for_python("3.13"))), Lines{});
    EXPECT_EQ(lines(check_python_library(linked_with(Format::macho, "/usr/lib/libSystem.B.dylib"), for_python("3.13"))),
              Lines{});
}

TEST(PythonLibrary, OfTheSameVersionIsAWarning) {
    EXPECT_EQ(lines(check_python_library(linked_with(Format::elf, "libpython3.13.so.1.0"), for_python("3.13"))),
              (Lines{"warning: is linked with libpython3.13.so.1.0, which not every CPython has [libpython-linked]",
                     libpython_fix}));
    EXPECT_EQ(lines(check_python_library(
                  linked_with(Format::macho, "/Library/Frameworks/Python.framework/Versions/3.13/Python"),
                  for_python("3.13"))),
              (Lines{"warning: is linked with Python, which not every CPython has [libpython-linked]", libpython_fix}));
}

TEST(PythonLibrary, OfAnotherVersionIsAnError) {
    EXPECT_EQ(lines(check_python_library(linked_with(Format::elf, "libpython3.12.so.1.0"), for_python("3.13"))).front(),
              "error: is linked with libpython3.12.so.1.0 of CPython 3.12, but is for CPython 3.13 [libpython-linked]");
    EXPECT_EQ(
        lines(check_python_library(linked_with(Format::elf, "libpython3.13t.so.1.0"), for_stable_abi("3.10"))).front(),
        "error: is linked with libpython3.13t.so.1.0 of CPython 3.13t, but promises CPython 3.10 and later (abi3) "
        "[libpython-linked]");
}

TEST(PythonLibrary, OfAnotherBuildIsAnError) {
    EXPECT_EQ(
        lines(check_python_library(linked_with(Format::elf, "libpython3.13t.so.1.0"), for_python("3.13"))).front(),
        "error: is linked with libpython3.13t.so.1.0 of CPython 3.13t, but is for CPython 3.13 [libpython-linked]");
    EXPECT_EQ(
        lines(check_python_library(linked_with(Format::elf, "libpython3.13d.so.1.0"), for_python("3.13"))).front(),
        "error: is linked with libpython3.13d.so.1.0 of CPython 3.13d, but is for CPython 3.13 "
        "[libpython-linked]");
    EXPECT_EQ(lines(check_python_library(
                        linked_with(Format::macho, "/Library/Frameworks/PythonT.framework/Versions/3.14/PythonT"),
                        for_python("3.14")))
                  .front(),
              "error: is linked with PythonT of CPython 3.14t, but is for CPython 3.14 [libpython-linked]");
    EXPECT_EQ(
        lines(check_python_library(linked_with(Format::elf, "libpython3.13t.so.1.0"), for_python("3.13t"))).front(),
        "warning: is linked with libpython3.13t.so.1.0, which not every CPython has [libpython-linked]");
}

TEST(PythonLibrary, UnderATagForOtherMachinesIsAnError) {
    Expectations expected = for_python("3.13");
    expected.promised_elsewhere = true;
    EXPECT_EQ(lines(check_python_library(linked_with(Format::elf, "libpython3.13.so.1.0"), expected)).front(),
              "error: is linked with libpython3.13.so.1.0, which a CPython that is linked statically does not have "
              "[libpython-linked]");
}

TEST(PythonLibrary, TheRightDll) {
    EXPECT_EQ(lines(check_python_library(importing({"python313.dll"}), for_python("3.13"))), Lines{});
    EXPECT_EQ(lines(check_python_library(importing({"PYTHON313.DLL"}), for_python("3.13"))), Lines{});
    EXPECT_EQ(lines(check_python_library(importing({"python3.dll", "python313.dll"}), for_python("3.13"))), Lines{});
    EXPECT_EQ(lines(check_python_library(importing({"python313t.dll"}), for_python("3.13t"))), Lines{});
    EXPECT_EQ(lines(check_python_library(importing({"python313_d.dll"}), for_python("3.13d"))), Lines{});
    EXPECT_EQ(lines(check_python_library(importing({"python3.dll"}), for_stable_abi("3.10"))), Lines{});
    EXPECT_EQ(lines(check_python_library(importing({"python3t.dll"}), for_stable_abi("3.15t"))), Lines{});
}

TEST(PythonLibrary, TheWrongDll) {
    EXPECT_EQ(lines(check_python_library(importing({"python312.dll"}), for_python("3.13"))),
              (Lines{"error: imports PyErr_SetString and PyLong_FromLong from python312.dll, not from python313.dll as "
                     "a module for CPython 3.13 must [wrong-python-dll]",
                     "fix: link with the import library of python313.dll"}));
    EXPECT_EQ(lines(check_python_library(importing({"python313.dll"}), for_python("3.13t"))).at(1),
              "fix: link with the import library of python313t.dll");
    EXPECT_EQ(lines(check_python_library(importing({"python313.dll"}), for_stable_abi("3.10"))).front(),
              "error: imports PyErr_SetString and PyLong_FromLong from python313.dll, not from python3.dll as a "
              "module for CPython 3.10 and later (abi3) must [wrong-python-dll]");
    EXPECT_EQ(lines(check_python_library(importing({"python3.dll"}), for_stable_abi("3.15t"))).at(1),
              "fix: link with the import library of python3t.dll");
    EXPECT_EQ(lines(check_python_library(importing({"python313_d.dll"}), for_python("3.13"))).size(), 2U);
}

TEST(PythonLibrary, NotADllOfCPython) {
    EXPECT_EQ(
        lines(check_python_library(importing({"libpython3.13.dll"}), for_python("3.13"))).front(),
        "error: imports PyErr_SetString and PyLong_FromLong from libpython3.13.dll, which is not a DLL of CPython "
        "for Windows [wrong-python-dll]");
    EXPECT_EQ(lines(check_python_library(importing({"KERNEL32.dll"}), for_python("3.13"))).front(),
              "error: imports PyLong_FromLong from KERNEL32.dll, which is not a DLL of CPython [wrong-python-dll]");
}

TEST(PythonLibrary, TheDllsOfMsysAreNotKnown) {
    Expectations expected = for_python("3.12");
    expected.targets = {toolchain::find_target("mingw_x86_64")};
    EXPECT_EQ(lines(check_python_library(importing({"libpython3.12.dll"}), expected)),
              Lines{"not checked: wrong-python-dll, because the names of the DLLs of mingw_x86_64 are not known"});
}

TEST(PythonLibrary, TwoDllsAtOnce) {
    Expectations expected;
    expected.module_name = "pymult";
    EXPECT_EQ(lines(check_python_library(importing({"python312.dll", "python313.dll"}), expected)),
              (Lines{"error: imports from the DLLs of CPython 3.12 and of CPython 3.13 at once [wrong-python-dll]",
                     "fix: link with the import library of one of them"}));
}

TEST(PythonLibrary, IsNotLinkedInStatically) {
    for (const Format format : {Format::elf, Format::macho, Format::pe}) {
        Image image = module_of(format);
        image.exports.push_back(exported("Py_Initialize"));
        image.hidden.push_back({"_PyRuntime", data_address, HiddenBecause::visibility});
        EXPECT_EQ(
            lines(check_python_library(image, for_python("3.13"))),
            (Lines{
                "error: defines Py_Initialize and _PyRuntime itself: an interpreter is linked into it, beside the one that "
                "imports it [embedded-python]",
                "fix: link without libpython's static library (leave out -lpython); the interpreter brings the symbols"}));
        Expectations library = for_python("3.13");
        library.is_extension_module = false;
        EXPECT_EQ(lines(check_python_library(image, library)), Lines{});
    }
}

}  // namespace
}  // namespace nasm_build::inspect::testing
