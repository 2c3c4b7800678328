#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const Image& image) {
    return check_pe_loading(image, for_target("win-amd64"));
}

Expectations in_a_wheel(std::initializer_list<std::string> binaries) {
    Expectations expected = for_target("win-amd64");
    auto contents = std::make_shared<WheelContents>();
    contents->binaries = binaries;
    expected.wheel = std::move(contents);
    return expected;
}

Image needing(std::initializer_list<const char*> names) {
    Image image = module_of(Format::pe);
    for (const char* const name : names) {
        image.libraries.push_back(library(name));
    }
    return image;
}

TEST(PeLoading, NothingToSay) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check(module_of(format))), Lines{});
    }
    Image image = module_of(Format::elf);
    image.libraries = {library("libgcc_s_seh-1.dll")};
    EXPECT_EQ(lines(check(image)), Lines{}) << "the rules are PE's";
}

TEST(PeLoading, StrippedRelocations) {
    Image image = module_of(Format::pe);
    image.pe.relocations_stripped = true;
    EXPECT_EQ(lines(check(image)),
              (Lines{"warning: can be loaded at the address that it asks for alone, because its relocations were "
                     "stripped: where that is taken, Windows refuses it [relocations-stripped]",
                     "fix: link it without /fixed, and strip nothing from it afterwards"}));
}

TEST(PeLoading, AddressesWithoutRelocations) {
    constexpr const char* fix = "fix: keep its section .reloc: link and strip it without removing relocations";
    Image image = module_of(Format::pe);
    image.pe.has_relocations = false;
    EXPECT_EQ(lines(check(image)), Lines{}) << "there is nothing to relocate";
    image.pe.own_addresses = 1;
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"error: holds an address of its own in its data and has no base relocations: Windows loads it at a "
               "random address, and that one stays as it was [relocations-stripped]",
               fix}));
    image.pe.own_addresses = 12;
    image.pe.dynamic_base = false;
    EXPECT_EQ(lines(check(image)),
              (Lines{"warning: holds 12 addresses of its own in its data and has no base relocations: Windows moves it "
                     "where its address is taken, and those stay as they were [relocations-stripped]",
                     fix}));
    image.pe.has_relocations = true;
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(PeLoading, WhatWindowsAndCPythonHave) {
    const Image image = needing({"python313.dll", "KERNEL32.dll", "VCRUNTIME140.dll", "vcruntime140_1.dll",
                                 "ucrtbase.dll", "api-ms-win-crt-runtime-l1-1-0.dll", "msvcrt.dll", "msvcp_win.dll",
                                 "mfplat.dll", "libopenblas.dll", "msvcp140-263139962577ecda4cd9469ca360a746.dll"});
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(PeLoading, TheSecondRuntimeCameWithCPython38) {
    Expectations expected = for_python("3.7");
    EXPECT_EQ(lines(check_pe_loading(needing({"VCRUNTIME140_1.dll"}), expected)),
              (Lines{"warning: needs VCRUNTIME140_1.dll, which is there only where something installed the Visual C++ "
                     "Redistributable [c-runtime-missing]",
                     "fix: link that runtime statically (/MT), or let delvewheel put it into the wheel"}));
    expected = for_python("3.8");
    EXPECT_EQ(lines(check_pe_loading(needing({"VCRUNTIME140_1.dll"}), expected)), Lines{});
}

TEST(PeLoading, TheDebugRuntime) {
    const Image image = needing({"ucrtbased.dll", "VCRUNTIME140D.dll", "MSVCP140D.dll", "vcruntime140_1d.dll"});
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: needs ucrtbased.dll, VCRUNTIME140D.dll, MSVCP140D.dll and vcruntime140_1d.dll, the debug "
                     "runtime, which comes with Visual Studio and may not be passed on [c-runtime-missing]",
                     "fix: build it for release: /MD, not /MDd"}));
    Image debug = image;
    debug.libraries.push_back(library("python313_d.dll"));
    EXPECT_EQ(lines(check(debug)), Lines{}) << "a debug CPython needs it itself";
    Expectations expected = for_python("3.13");
    expected.python->debug = true;
    EXPECT_EQ(lines(check_pe_loading(image, expected)), Lines{});
}

TEST(PeLoading, TheRedistributable) {
    EXPECT_EQ(
        lines(check(needing({"MSVCP140.dll", "VCOMP140.DLL", "msvcr100.dll", "msvcp140_atomic_wait.dll"}))),
        (Lines{"warning: needs MSVCP140.dll, VCOMP140.DLL, msvcr100.dll and msvcp140_atomic_wait.dll, which is there "
               "only where something installed the Visual C++ Redistributable [c-runtime-missing]",
               "fix: link that runtime statically (/MT), or let delvewheel put it into the wheel"}));
    EXPECT_EQ(lines(check_pe_loading(needing({"MSVCP140.dll"}), in_a_wheel({"msvcp140.dll"}))), Lines{});
}

TEST(PeLoading, TheRuntimesOfMinGw) {
    const Image image = needing({"libgcc_s_seh-1.dll", "libwinpthread-1.dll"});
    constexpr const char* fix = "fix: link with -static, or let delvewheel put it into the wheel";
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"warning: needs libgcc_s_seh-1.dll and libwinpthread-1.dll, which neither Windows nor CPython has: it "
               "must come with the module [c-runtime-missing]",
               fix}));
    EXPECT_EQ(
        lines(check_pe_loading(image, in_a_wheel({"pymult.pyd"}))),
        (Lines{"error: needs libgcc_s_seh-1.dll and libwinpthread-1.dll, which neither Windows nor CPython has, and "
               "the wheel does not bring [c-runtime-missing]",
               fix}));
    Expectations with_others = in_a_wheel({"pymult.pyd"});
    auto contents = std::make_shared<WheelContents>(*with_others.wheel);
    contents->has_dependencies = true;
    with_others.wheel = contents;
    EXPECT_EQ(
        lines(check_pe_loading(image, with_others)),
        (Lines{"warning: needs libgcc_s_seh-1.dll and libwinpthread-1.dll, which neither Windows nor CPython has, and "
               "the wheel does not bring: one that it requires must [c-runtime-missing]",
               fix}));
    EXPECT_EQ(lines(check_pe_loading(image, in_a_wheel({"LIBGCC_S_SEH-1.DLL", "libwinpthread-1.dll"}))), Lines{});
    EXPECT_EQ(lines(check_pe_loading(image, for_target("mingw-x86_64-ucrt"))), Lines{}) << "MSYS2's Python has them";
}

TEST(PeLoading, DelayedLibraries) {
    Image image = needing({"late.dll", "KERNEL32.dll", "python313.dll", "msvcp140.dll"});
    for (Library& one : image.libraries) {
        one.delayed = true;
    }
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"note: looks for late.dll and msvcp140.dll at the first call and not at import: where it is missing, "
               "that call ends the process [delay-imports]",
               "fix: bring it in the wheel, or link it without /delayload, so that the import says what is missing"}));
    EXPECT_EQ(lines(check_pe_loading(image, in_a_wheel({"late.dll", "MSVCP140.dll"}))), Lines{});
}

}  // namespace
}  // namespace nasm_build::inspect::testing
