// File names and tags of modules: every target and ABI, against the names that CPython's own importers look for.
#include "toolchain/python_abi.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <utility>

#include "base/error.hpp"

namespace nasm_build::toolchain {
namespace {

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return std::string(error.what()) + "\nfix: " + error.fix();
    }
    return "no error";
}

std::string suffix(std::string_view platform, std::string_view python, CLibrary c_library = CLibrary::gnu) {
    return module_suffix(find_target(platform, 64, c_library), parse_python(python));
}

std::string tag(std::string_view platform, const PythonBuild& build, unsigned pointer_bits = 64) {
    const WheelTag parts = wheel_tag(find_target(platform, pointer_bits), build);
    return parts.python + "-" + parts.abi + "-" + parts.platform;
}

TEST(ParsePython, ReadsVersionsAndKinds) {
    EXPECT_EQ(parse_python("3.13"), (PythonBuild{.version = {3, 13}}));
    EXPECT_EQ(parse_python("3.13t"), (PythonBuild{.version = {3, 13}, .free_threaded = true}));
    EXPECT_EQ(parse_python("3.10d"), (PythonBuild{.version = {3, 10}, .debug = true}));
    EXPECT_EQ(parse_python("3.14td"), (PythonBuild{.version = {3, 14}, .free_threaded = true, .debug = true}));
}

TEST(ParsePython, RefusesEverythingElse) {
    for (const char* text : {"", "3", "3.", "2.7", "4.0", "313", "cp313", "3.13.1", "3.13dt", "3.13x", "3.13 ", " 3.13",
                             "3.-1", "3.1000", "3.99999999999", "python3.13"}) {
        EXPECT_EQ(error_of([&] { (void)parse_python(text); }),
                  "`" + std::string(text) +
                      "` is no CPython version\n"
                      "fix: give one like 3.13, or 3.13t for a free-threaded build, 3.13d for a debug build");
    }
    EXPECT_EQ(error_of([] { (void)parse_python("3.12t"); }),
              "CPython 3.12 has no free-threaded build: they began with 3.13\n"
              "fix: give 3.12, or 3.13t or later");
}

TEST(ParseStableAbi, ReadsBothKinds) {
    EXPECT_EQ(parse_stable_abi("3.10"), (PythonBuild{.version = {3, 10}, .abi = Abi::abi3}));
    EXPECT_EQ(parse_stable_abi("3.15t"), (PythonBuild{.version = {3, 15}, .abi = Abi::abi3t}));
    for (const char* text : {"", "3", "abi3", "3.10d", "3.10.1", "cp310"}) {
        EXPECT_EQ(error_of([&] { (void)parse_stable_abi(text); }),
                  "`" + std::string(text) +
                      "` is no version of the stable ABI\n"
                      "fix: give the oldest CPython that is promised: 3.10 for abi3, 3.15t for abi3t");
    }
    EXPECT_EQ(error_of([] { (void)parse_stable_abi("3.14t"); }),
              "abi3t begins with CPython 3.15 (PEP 803), not with 3.14\n"
              "fix: promise 3.15t or later: --abi3 3.15t");
    EXPECT_EQ(error_of([] { (void)parse_stable_abi("3.1"); }),
              "the stable ABI begins with CPython 3.2, not with 3.1\n"
              "fix: give the oldest CPython that is promised, like 3.10");
}

TEST(ChooseBuild, JoinsThePythonAndThePromise) {
    EXPECT_EQ(choose_build(std::nullopt, std::nullopt), std::nullopt);
    EXPECT_EQ(choose_build(parse_python("3.13t"), std::nullopt), parse_python("3.13t"));
    EXPECT_EQ(choose_build(std::nullopt, parse_stable_abi("3.10")), parse_stable_abi("3.10"));
    EXPECT_EQ(choose_build(parse_python("3.13"), parse_stable_abi("3.10")), parse_stable_abi("3.10"));
    EXPECT_EQ(choose_build(parse_python("3.10"), parse_stable_abi("3.10")), parse_stable_abi("3.10"));
    PythonBuild both = parse_stable_abi("3.15t");
    both.free_threaded = true;
    EXPECT_EQ(choose_build(parse_python("3.15t"), parse_stable_abi("3.15t")), both);
}

TEST(ChooseBuild, RefusesWhatThatPythonCouldNotImport) {
    EXPECT_EQ(error_of([] { (void)choose_build(parse_python("3.10"), parse_stable_abi("3.11")); }),
              "CPython 3.10 cannot import a module that promises abi3 from 3.11\n"
              "fix: promise 3.10 or an older version, or build with 3.11 or later");
    EXPECT_EQ(error_of([] { (void)choose_build(parse_python("3.13t"), parse_stable_abi("3.10")); }),
              "a free-threaded CPython imports no abi3 module, and abi3 was asked for with 3.13t\n"
              "fix: build a module for that version alone (leave out --abi3, py-limited-api), or promise abi3t: --abi3 "
              "3.15t");
}

TEST(ToText, IsForPeople) {
    EXPECT_EQ(to_string(PythonVersion{3, 9}), "3.9");
    EXPECT_EQ(to_string(parse_python("3.13td")), "3.13td");
    EXPECT_EQ(to_string(parse_stable_abi("3.10")), "abi3 from 3.10");
    EXPECT_EQ(to_string(parse_stable_abi("3.15t")), "abi3t from 3.15");
}

TEST(HexadecimalVersion, IsWhatPyLimitedApiTakes) {
    EXPECT_EQ(hexadecimal_version({3, 10}), 0x030A0000U);
    EXPECT_EQ(hexadecimal_version({3, 2}), 0x03020000U);
    EXPECT_EQ(hexadecimal_version({3, 15}), 0x030F0000U);
}

TEST(ModuleSuffix, OnTheAssemblingTargets) {
    EXPECT_EQ(suffix("linux-x86_64", "3.10"), ".cpython-310-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.13"), ".cpython-313-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.13t"), ".cpython-313t-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.13d"), ".cpython-313d-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.13td"), ".cpython-313td-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.7"), ".cpython-37m-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.13", CLibrary::musl), ".cpython-313-x86_64-linux-musl.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.11", CLibrary::musl), ".cpython-311-x86_64-linux-musl.so");
    EXPECT_EQ(suffix("linux-x86_64", "3.10", CLibrary::musl), ".cpython-310-x86_64-linux-gnu.so");
    EXPECT_EQ(suffix("macosx-11.0-x86_64", "3.13"), ".cpython-313-darwin.so");
    EXPECT_EQ(suffix("macosx-10.13-x86_64", "3.13t"), ".cpython-313t-darwin.so");
    EXPECT_EQ(suffix("win-amd64", "3.13"), ".cp313-win_amd64.pyd");
    EXPECT_EQ(suffix("win-amd64", "3.13t"), ".cp313t-win_amd64.pyd");
    EXPECT_EQ(suffix("win-amd64", "3.13d"), "_d.cp313-win_amd64.pyd");
}

TEST(ModuleSuffix, OnFallbackTargets) {
    const auto expected = std::to_array<std::pair<const char*, const char*>>({
        {"linux-aarch64", ".cpython-313-aarch64-linux-gnu.so"},
        {"linux-i686", ".cpython-313-i386-linux-gnu.so"},
        {"linux-armv7l", ".cpython-313-arm-linux-gnueabihf.so"},
        {"linux-ppc64le", ".cpython-313-powerpc64le-linux-gnu.so"},
        {"linux-s390x", ".cpython-313-s390x-linux-gnu.so"},
        {"linux-riscv64", ".cpython-313-riscv64-linux-gnu.so"},
        {"linux-loongarch64", ".cpython-313-loongarch64-linux-gnu.so"},
        {"macosx-11.0-arm64", ".cpython-313-darwin.so"},
        {"macosx-10.13-universal2", ".cpython-313-darwin.so"},
        {"win32", ".cp313-win32.pyd"},
        {"win-arm64", ".cp313-win_arm64.pyd"},
        {"mingw_x86_64_ucrt_gnu", ".cp313-mingw_x86_64_ucrt_gnu.pyd"},
        {"cygwin-3.4.6-x86_64", ".cpython-313-x86_64-cygwin.dll"},
        {"freebsd-14.1-release-amd64", ".cpython-313.so"},
        {"emscripten-4.0.9-wasm32", ".cpython-313-wasm32-emscripten.so"},
        {"pyodide_2025_0_wasm32", ".cpython-313-wasm32-emscripten.so"},
        {"wasi-0.0.0-wasm32", ".cpython-313-wasm32-wasi.so"},
        {"ios-13.0-arm64-iphoneos", ".cpython-313-iphoneos.so"},
        {"ios-13.0-x86_64-iphonesimulator", ".cpython-313-iphonesimulator.so"},
        {"android-24-x86_64", ".cpython-313-x86_64-linux-android.so"},
        {"android-21-arm64_v8a", ".cpython-313-aarch64-linux-android.so"},
    });
    for (const auto& [platform, name] : expected) {
        EXPECT_EQ(suffix(platform, "3.13"), name) << platform;
    }
    EXPECT_EQ(suffix("linux-armv7l", "3.13", CLibrary::musl), ".cpython-313-arm-linux-musleabihf.so");
    EXPECT_EQ(module_suffix(find_target("linux-x86_64", 32), parse_python("3.13")), ".cpython-313-i386-linux-gnu.so");
}

TEST(ModuleSuffix, OfTheStableAbiIsThePlainOne) {
    const PythonBuild abi3 = parse_stable_abi("3.10");
    const PythonBuild late_abi3 = parse_stable_abi("3.15");
    const PythonBuild abi3t = parse_stable_abi("3.15t");
    for (const char* platform : {"linux-x86_64", "linux-aarch64", "macosx-11.0-x86_64", "freebsd-14.1-release-amd64"}) {
        EXPECT_EQ(module_suffix(find_target(platform), abi3), ".abi3.so") << platform;
        EXPECT_EQ(module_suffix(find_target(platform), late_abi3), ".abi3.so") << platform;
        EXPECT_EQ(module_suffix(find_target(platform), abi3t), ".abi3t.so") << platform;
    }
    EXPECT_EQ(module_suffix(find_target("linux-x86_64", 64, CLibrary::musl), abi3), ".abi3.so");
    for (const PythonBuild& build : {abi3, late_abi3, abi3t}) {
        EXPECT_EQ(module_suffix(find_target("win-amd64"), build), ".pyd");
        EXPECT_EQ(module_suffix(find_target("win-arm64"), build), ".pyd");
    }
}

TEST(WheelTag, OnEveryKindOfTarget) {
    const PythonBuild python = parse_python("3.13");
    EXPECT_EQ(tag("linux-x86_64", python), "cp313-cp313-linux_x86_64");
    EXPECT_EQ(tag("macosx-11.0-x86_64", python), "cp313-cp313-macosx_11_0_x86_64");
    EXPECT_EQ(tag("macosx-10.9-x86_64", python), "cp313-cp313-macosx_10_9_x86_64");
    EXPECT_EQ(tag("macosx-14.2-x86_64", python), "cp313-cp313-macosx_14_0_x86_64");
    EXPECT_EQ(tag("macosx-14-x86_64", python), "cp313-cp313-macosx_14_0_x86_64");
    EXPECT_EQ(tag("macosx-x86_64", python), "cp313-cp313-macosx_10_13_x86_64");
    EXPECT_EQ(tag("macosx-x86_64", parse_python("3.11")), "cp311-cp311-macosx_10_9_x86_64");
    EXPECT_EQ(tag("win-amd64", python), "cp313-cp313-win_amd64");
    EXPECT_EQ(tag("linux-aarch64", python), "cp313-cp313-linux_aarch64");
    EXPECT_EQ(tag("linux-x86_64", python, 32), "cp313-cp313-linux_i686");
    EXPECT_EQ(tag("linux-aarch64", python, 32), "cp313-cp313-linux_armv7l");
    EXPECT_EQ(tag("macosx-10.13-universal2", python), "cp313-cp313-macosx_10_13_universal2");
    EXPECT_EQ(tag("win32", python), "cp313-cp313-win32");
    EXPECT_EQ(tag("win-arm64", python), "cp313-cp313-win_arm64");
    EXPECT_EQ(tag("freebsd-14.1-RELEASE-amd64", python), "cp313-cp313-freebsd_14_1_release_amd64");
    EXPECT_EQ(tag("mingw_x86_64_ucrt_gnu", python), "cp313-cp313-mingw_x86_64_ucrt_gnu");
    EXPECT_EQ(tag("ios-13.0-arm64-iphoneos", python), "cp313-cp313-ios_13_0_arm64_iphoneos");
    EXPECT_EQ(tag("android-24-x86_64", python), "cp313-cp313-android_24_x86_64");
}

TEST(WheelTag, OfEveryAbi) {
    EXPECT_EQ(tag("linux-x86_64", parse_python("3.13t")), "cp313-cp313t-linux_x86_64");
    EXPECT_EQ(tag("linux-x86_64", parse_python("3.13d")), "cp313-cp313d-linux_x86_64");
    EXPECT_EQ(tag("linux-x86_64", parse_python("3.7")), "cp37-cp37m-linux_x86_64");
    EXPECT_EQ(tag("win-amd64", parse_stable_abi("3.10")), "cp310-abi3-win_amd64");
    EXPECT_EQ(tag("linux-x86_64", parse_stable_abi("3.15t")), "cp315-abi3.abi3t-linux_x86_64");
}

TEST(StableAbi, ImpossibleOnesAreRefusedEverywhere) {
    const PythonBuild free_threaded_abi3{.version = {3, 13}, .free_threaded = true, .abi = Abi::abi3};
    const PythonBuild early_abi3t{.version = {3, 14}, .abi = Abi::abi3t};
    const Target target = find_target("linux-x86_64");
    const std::string abi3 =
        "a free-threaded CPython imports no abi3 module, and abi3 was asked for with 3.13t\n"
        "fix: build a module for that version alone (leave out --abi3, py-limited-api), or promise abi3t: --abi3 3.15t";
    const std::string abi3t =
        "abi3t begins with CPython 3.15 (PEP 803), not with 3.14\n"
        "fix: promise 3.15t or later: --abi3 3.15t";
    EXPECT_EQ(error_of([&] { (void)module_suffix(target, free_threaded_abi3); }), abi3);
    EXPECT_EQ(error_of([&] { (void)wheel_tag(target, free_threaded_abi3); }), abi3);
    EXPECT_EQ(error_of([&] { (void)module_suffix(target, early_abi3t); }), abi3t);
    EXPECT_EQ(error_of([&] { (void)wheel_tag(target, early_abi3t); }), abi3t);
}

}  // namespace
}  // namespace nasm_build::toolchain
