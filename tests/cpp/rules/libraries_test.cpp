#include "inspect/rules/libraries.hpp"

#include <gtest/gtest.h>

namespace nasm_build::inspect {
namespace {

using toolchain::PythonVersion;

TEST(Libraries, Libpython) {
    for (const char* const name :
         {"libpython3.13.so.1.0", "libpython3.13t.so.1.0", "libpython3.13d.so.1.0", "libpython3.6m.so.1.0",
          "libpython3.so", "libpython2.7.so.1.0", "@rpath/libpython3.13.dylib",
          "/Library/Frameworks/Python.framework/Versions/3.13/Python", "@rpath/PythonT.framework/Versions/3.13/PythonT",
          "@rpath/Python3.framework/Versions/3.9/Python3"}) {
        EXPECT_TRUE(is_libpython(name)) << name;
    }
    for (const char* const name :
         {"libpythonic.so", "libboost_python313.so.1", "libpython-helper.so", "libc.so.6", ""}) {
        EXPECT_FALSE(is_libpython(name)) << name;
    }
    const auto build_of = [](std::string_view name) {
        const auto build = libpython_build(name);
        return build ? to_string(*build) : "none";
    };
    EXPECT_EQ(build_of("libpython3.13.so.1.0"), "3.13");
    EXPECT_EQ(build_of("libpython3.13t.so.1.0"), "3.13t");
    EXPECT_EQ(build_of("libpython3.14td.so"), "3.14td");
    EXPECT_EQ(build_of("@rpath/libpython3.12d.dylib"), "3.12d");
    EXPECT_EQ(build_of("/x/Python.framework/Versions/3.9/Python"), "3.9");
    EXPECT_EQ(build_of("/x/PythonT.framework/Versions/3.14/PythonT"), "3.14t");
    EXPECT_EQ(build_of("libpython3.so"), "none");
}

TEST(Libraries, PythonDlls) {
    const auto stable = parse_python_dll("python3.dll");
    ASSERT_TRUE(stable);
    EXPECT_EQ(stable->version, std::nullopt);
    const auto threads = parse_python_dll("Python313t_d.DLL");
    ASSERT_TRUE(threads);
    EXPECT_EQ(threads->version, (PythonVersion{3, 13}));
    EXPECT_TRUE(threads->free_threaded && threads->debug);
    for (const char* const name :
         {"python27.dll", "pythoncom313.dll", "libpython3.13.dll", "python313x.dll", "python3"}) {
        EXPECT_FALSE(parse_python_dll(name)) << name;
    }
}

TEST(Libraries, FamiliesThatVersionTheirSymbols) {
    for (const char* const name : {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
                                   "ld64.so.2", "libgcc_s.so.1", "libstdc++.so.6", "libgfortran.so.5"}) {
        EXPECT_TRUE(versions_all_symbols(name)) << name;
    }
    for (const char* const name : {"libz.so.1", "libc.musl-x86_64.so.1", "libc.so", "libstdc++-1234.so.6.0.30"}) {
        EXPECT_FALSE(versions_all_symbols(name)) << name;
    }
}

TEST(Libraries, OfTheSystem) {
    EXPECT_TRUE(is_system_library(Format::elf, "libc.musl-x86_64.so.1"));
    EXPECT_TRUE(is_system_library(Format::macho, "/usr/lib/libSystem.B.dylib"));
    EXPECT_TRUE(is_system_library(Format::pe, "KERNEL32.dll"));
    EXPECT_TRUE(is_system_library(Format::pe, "api-ms-win-crt-runtime-l1-1-0.dll"));
    EXPECT_FALSE(is_system_library(Format::elf, "libz.so.1"));
    EXPECT_FALSE(is_system_library(Format::macho, "/usr/lib/libc++.1.dylib"));
    EXPECT_FALSE(is_system_library(Format::pe, "msvcp140.dll"));
}

}  // namespace
}  // namespace nasm_build::inspect
