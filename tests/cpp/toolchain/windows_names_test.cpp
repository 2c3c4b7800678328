// The two generated tables of what the DLLs of Windows have.
#include "toolchain/windows_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace nasm_build::toolchain {
namespace {

const RuntimeLibrary* library_of(const std::vector<RuntimeLibrary>& libraries, std::string_view dll) {
    const auto found = std::find_if(libraries.begin(), libraries.end(),
                                    [&](const RuntimeLibrary& library) { return library.dll == dll; });
    return found == libraries.end() ? nullptr : &*found;
}

// The DLL that has a function, or nothing.
std::string_view dll_of(const std::vector<RuntimeLibrary>& libraries, std::string_view function) {
    for (const RuntimeLibrary& library : libraries) {
        for (const ImportName& name : library.functions) {
            if (name.name == function) {
                return library.dll;
            }
        }
    }
    return {};
}

TEST(PythonVariables, AreFoundTheFirstAndTheLastAmongThem) {
    for (const char* name : {
#define PYTHON_VARIABLE(name) name,
#include "toolchain/python_variables.inc"
#undef PYTHON_VARIABLE
         }) {
        EXPECT_TRUE(is_python_variable(name)) << name;
    }
    for (const char* name : {"PyExc_ValueError", "PyLong_Type", "_Py_NoneStruct", "Py_Version", "_PyRuntime"}) {
        EXPECT_TRUE(is_python_variable(name)) << name;
    }
}

TEST(PythonVariables, FunctionsAndStrangersAreNone) {
    for (const char* name :
         {"PyLong_FromLong", "Py_IncRef", "PyModuleDef_Init", "", "Py", "PyLong_Typ", "PyLong_Type_", "zzz", "A"}) {
        EXPECT_FALSE(is_python_variable(name)) << name;
    }
}

TEST(RuntimeLibraries, AreInTheOrderOfTheirNamesAndTheirFunctionsToo) {
    const std::vector<RuntimeLibrary> libraries = runtime_libraries();
    EXPECT_TRUE(std::is_sorted(libraries.begin(), libraries.end(),
                               [](const auto& left, const auto& right) { return left.dll < right.dll; }));
    std::set<std::string_view> all;
    for (const RuntimeLibrary& library : libraries) {
        EXPECT_TRUE(library.dll == "vcruntime140.dll" || library.dll.starts_with("api-ms-win-crt-")) << library.dll;
        EXPECT_FALSE(library.functions.empty()) << library.dll;
        EXPECT_TRUE(std::is_sorted(library.functions.begin(), library.functions.end(),
                                   [](const auto& left, const auto& right) { return left.name < right.name; }))
            << library.dll;
        for (const ImportName& function : library.functions) {
            EXPECT_EQ(function.kind, ImportKind::function) << function.name;
            // A name of two DLLs would be taken from whichever library the linker sees first.
            EXPECT_TRUE(all.insert(function.name).second) << function.name;
        }
    }
}

TEST(RuntimeLibraries, HaveEachFunctionWhereMicrosoftsCompilerTakesItFrom) {
    const std::vector<RuntimeLibrary> libraries = runtime_libraries();
    ASSERT_NE(library_of(libraries, "vcruntime140.dll"), nullptr);
    for (const char* name : {"memcpy", "memmove", "memset", "memcmp", "memchr", "strchr", "strstr"}) {
        EXPECT_EQ(dll_of(libraries, name), "vcruntime140.dll") << name;
    }
    EXPECT_EQ(dll_of(libraries, "strlen"), "api-ms-win-crt-string-l1-1-0.dll");
    EXPECT_EQ(dll_of(libraries, "malloc"), "api-ms-win-crt-heap-l1-1-0.dll");
    EXPECT_EQ(dll_of(libraries, "qsort"), "api-ms-win-crt-utility-l1-1-0.dll");
    EXPECT_EQ(dll_of(libraries, "pow"), "api-ms-win-crt-math-l1-1-0.dll");
    EXPECT_EQ(dll_of(libraries, "strtoull"), "api-ms-win-crt-convert-l1-1-0.dll");
    EXPECT_EQ(dll_of(libraries, "exit"), "api-ms-win-crt-runtime-l1-1-0.dll");
}

TEST(RuntimeLibraries, HaveNoNameThatTheDllLacksOrThatMeansAnotherThingThere) {
    const std::vector<RuntimeLibrary> libraries = runtime_libraries();
    for (const char* name : {"open", "read", "isatty", "strcasecmp",  // `_open` and so on there
                             "printf", "snprintf",  // in Microsoft's headers alone
                             "fork", "mmap",  // nowhere
                             "sinhl", "strtold", "cabs", "cexpf",  // of long double and complex numbers
                             "__timezone"}) {
        EXPECT_EQ(dll_of(libraries, name), "") << name;
    }
}

TEST(RuntimeLibraries, KnowCsOwnFunctionsByTheDllsWordForThem) {
    std::map<std::string_view, std::string_view> aliases;
    for (const RuntimeLibrary& library : runtime_libraries()) {
        for (const ImportName& function : library.functions) {
            if (function.exported != function.name) {
                aliases.emplace(function.name, function.exported);
            }
        }
    }
    const std::map<std::string_view, std::string_view> wanted{
        {"ctime", "_ctime64"},         {"difftime", "_difftime64"}, {"gmtime", "_gmtime64"},
        {"localtime", "_localtime64"}, {"memccpy", "_memccpy"},     {"mktime", "_mktime64"},
        {"strdup", "_strdup"},         {"time", "_time64"},         {"timespec_get", "_timespec64_get"}};
    EXPECT_EQ(aliases, wanted);
}

}  // namespace
}  // namespace nasm_build::toolchain
