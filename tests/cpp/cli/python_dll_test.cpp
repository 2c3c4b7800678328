// Which DLL a module for Windows imports CPython's names from, and which names that DLL has.
#include "cli/python_dll.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "inspect/data/python_symbols.hpp"

namespace nasm_build::cli {
namespace {

using toolchain::ImportKind;
using toolchain::ImportName;
using toolchain::parse_python;
using toolchain::parse_stable_abi;

std::optional<ImportKind> kind_of(const PythonLibrary& library, std::string_view name) {
    const auto found = std::find_if(library.names.begin(), library.names.end(),
                                    [&](const ImportName& one) { return one.name == name; });
    return found == library.names.end() ? std::nullopt : std::optional(found->kind);
}

bool has(const PythonLibrary& library, std::string_view name) {
    return kind_of(library, name).has_value();
}

void expect_sorted_without_aliases(const PythonLibrary& library) {
    for (std::size_t index = 1; index < library.names.size(); ++index) {
        EXPECT_LT(library.names[index - 1].name, library.names[index].name);
    }
    for (const ImportName& name : library.names) {
        EXPECT_EQ(name.exported, "") << name.name;
    }
}

TEST(PythonDll, IsNamedByVersionAndKindOfBuild) {
    EXPECT_EQ(python_library(parse_python("3.10")).dll, "python310.dll");
    EXPECT_EQ(python_library(parse_python("3.13")).dll, "python313.dll");
    EXPECT_EQ(python_library(parse_python("3.13t")).dll, "python313t.dll");
    EXPECT_EQ(python_library(parse_python("3.13d")).dll, "python313_d.dll");
    EXPECT_EQ(python_library(parse_python("3.13td")).dll, "python313t_d.dll");
    EXPECT_EQ(python_library(parse_stable_abi("3.10")).dll, "python3.dll");
    EXPECT_EQ(python_library(parse_stable_abi("3.15")).dll, "python3.dll");
    EXPECT_EQ(python_library(parse_stable_abi("3.15t")).dll, "python3t.dll");
}

TEST(PythonDll, OfAVersionHasWhatThatVersionExports) {
    const PythonLibrary oldest = python_library(parse_python("3.10"));
    const PythonLibrary newer = python_library(parse_python("3.13"));
    expect_sorted_without_aliases(newer);
    EXPECT_GT(newer.names.size(), 1500U);
    for (const PythonLibrary* library : {&oldest, &newer}) {
        EXPECT_TRUE(has(*library, "PyLong_FromLong"));
        EXPECT_TRUE(has(*library, "_PyObject_GC_New"));
        EXPECT_FALSE(has(*library, "PyInit_math"));
    }
    EXPECT_FALSE(has(oldest, "PyModule_Add"));  // of 3.13
    EXPECT_TRUE(has(newer, "PyModule_Add"));
    // Private and in no stable ABI, but there.
    EXPECT_TRUE(has(newer, "_PyLong_AsByteArray"));
}

TEST(PythonDll, TellsVariablesFromFunctions) {
    for (const char* build : {"3.10", "3.13", "3.13t", "3.15"}) {
        const PythonLibrary library = python_library(parse_python(build));
        for (const char* variable : {"PyExc_ValueError", "PyLong_Type", "_Py_NoneStruct", "PyBaseObject_Type"}) {
            EXPECT_EQ(kind_of(library, variable), ImportKind::variable) << build << ' ' << variable;
        }
        for (const char* function : {"PyLong_FromLong", "PyErr_SetString", "PyModuleDef_Init", "PyArg_ParseTuple"}) {
            EXPECT_EQ(kind_of(library, function), ImportKind::function) << build << ' ' << function;
        }
    }
}

TEST(PythonDll, CallsEveryVariableOfTheStableAbiOne) {
    const PythonLibrary library = python_library(parse_stable_abi("3.15"));
    for (const inspect::PythonSymbol& symbol : inspect::all_python_symbols()) {
        if (const std::optional<ImportKind> kind = kind_of(library, symbol.name())) {
            EXPECT_EQ(*kind == ImportKind::variable, symbol.is_stable_data()) << symbol.name();
        }
    }
}

TEST(PythonDll, OfAFreeThreadedBuildHasItsOwnNames) {
    const PythonLibrary with_lock = python_library(parse_python("3.13"));
    const PythonLibrary without_lock = python_library(parse_python("3.13t"));
    EXPECT_FALSE(has(with_lock, "_Py_MergeZeroLocalRefcount"));
    EXPECT_TRUE(has(without_lock, "_Py_MergeZeroLocalRefcount"));
    EXPECT_GT(without_lock.names.size(), with_lock.names.size());
}

TEST(PythonDll, OfTheStableAbiHasWhatThePromiseHoldsAndNoMore) {
    const PythonLibrary from_10 = python_library(parse_stable_abi("3.10"));
    const PythonLibrary from_13 = python_library(parse_stable_abi("3.13"));
    expect_sorted_without_aliases(from_10);
    EXPECT_GT(from_10.names.size(), 700U);
    EXPECT_GT(from_13.names.size(), from_10.names.size());
    for (const PythonLibrary* library : {&from_10, &from_13}) {
        EXPECT_TRUE(has(*library, "PyLong_FromLong"));
        EXPECT_FALSE(has(*library, "_PyLong_AsByteArray"));
        EXPECT_FALSE(has(*library, "PyUnicode_AsUTF8"));  // exported by all, and in no stable ABI
        EXPECT_FALSE(has(*library, "PyOS_AfterFork_Child"));  // of the stable ABI, but not on Windows
    }
    // 3.10 has both; they became stable in 3.11 and 3.12.
    EXPECT_FALSE(has(from_10, "PyObject_GetBuffer"));
    EXPECT_TRUE(has(python_library(parse_stable_abi("3.11")), "PyObject_GetBuffer"));
    EXPECT_FALSE(has(from_10, "PyObject_Vectorcall"));
    EXPECT_TRUE(has(python_library(parse_stable_abi("3.12")), "PyObject_Vectorcall"));
}

TEST(PythonDll, OfBothStableAbisHasTheNamesOfModExport) {
    for (const char* promise : {"3.15", "3.15t"}) {
        const PythonLibrary library = python_library(parse_stable_abi(promise));
        EXPECT_TRUE(has(library, "PyModule_FromSlotsAndSpec")) << promise;
        EXPECT_TRUE(has(library, "PyModule_GetToken")) << promise;
    }
}

TEST(PythonDll, OfAVersionThatNobodyKnowsIsAnError) {
    const auto refusal = [](const toolchain::PythonBuild& build) {
        try {
            (void)python_library(build);
            return std::string("no error");
        } catch (const Error& error) {
            return std::string(error.what()) + "\n" + error.fix();
        }
    };
    const std::string fix =
        "build for one of these, or with a nasm-build that knows it: pip install --upgrade nasm-build";
    EXPECT_EQ(refusal(parse_python("3.16")),
              "the names of CPython 3.16 for Windows are not known: those of 3.6 to 3.15 are\n" + fix);
    EXPECT_EQ(refusal(parse_python("3.5")),
              "the names of CPython 3.5 for Windows are not known: those of 3.6 to 3.15 are\n" + fix);
    EXPECT_EQ(refusal(parse_stable_abi("3.16t")),
              "the names of CPython 3.16 for Windows are not known: those of 3.6 to 3.15 are\n" + fix);
    EXPECT_EQ(refusal(parse_python("3.6")), "no error");
    EXPECT_EQ(refusal(parse_python("3.15t")), "no error");
}

}  // namespace
}  // namespace nasm_build::cli
