#include "inspect/rules/slices.hpp"

#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* fix =
    "fix: build all slices from the same sources with the same options, then join them (lipo -create)";

std::vector<Image> both() {
    std::vector<Image> slices = {module_with(Format::macho, "PyModule_Create2"),
                                 module_with(Format::macho, "PyModule_Create2")};
    slices[0].slice = "x86_64";
    slices[1].slice = "arm64";
    slices[1].machine = Machine::arm64;
    slices[1].minimum_system = "11.0";
    return slices;
}

Lines said(const std::vector<Image>& slices) {
    Verdict verdict;
    compare_slices(verdict, slices);
    return lines(verdict);
}

TEST(Slices, OfOneBuild) {
    EXPECT_EQ(said(both()), Lines{}) << "arm64 has no macOS before 11.0";
    EXPECT_EQ(said({both()[0]}), Lines{});
}

TEST(Slices, WhatMachinesDifferIn) {
    std::vector<Image> slices = both();
    slices[0].imports.push_back(imported("__bzero"));
    slices[1].imports.push_back(imported("__divti3"));
    slices[1].exports.push_back(exported("_ZN4fast5inlineEv"));
    slices[1].exports.back().weak = true;
    EXPECT_EQ(said(slices), Lines{});
}

TEST(Slices, LibrariesAndRunPaths) {
    std::vector<Image> slices = both();
    slices[0].libraries = {library("/usr/lib/libSystem.B.dylib"), library("@rpath/libquux.dylib")};
    slices[1].libraries = {library("/usr/lib/libSystem.B.dylib")};
    slices[1].run_paths = {"@loader_path/lib"};
    EXPECT_EQ(
        said(slices),
        (Lines{"warning: needs @rpath/libquux.dylib in its slice for x86_64, but not in that for arm64 "
               "[slices-differ]",
               fix,
               "warning: looks for libraries in @loader_path/lib in its slice for arm64, but not in that for x86_64 "
               "[slices-differ]",
               fix}));
}

TEST(Slices, Names) {
    std::vector<Image> slices = both();
    slices[0].exports.push_back(exported("helper"));
    slices[0].imports.push_back(imported("PyLong_FromLong"));
    slices[1].imports.push_back(imported("_PyLong_AsByteArray"));
    EXPECT_EQ(
        said(slices),
        (Lines{"note: exports helper in its slice for x86_64, but not in that for arm64 [slices-differ]", fix,
               "note: uses PyLong_FromLong in its slice for x86_64, but not in that for arm64 [slices-differ]", fix,
               "note: uses _PyLong_AsByteArray in its slice for arm64, but not in that for x86_64 [slices-differ]",
               fix}));
}

TEST(Slices, LowestSystems) {
    std::vector<Image> slices = both();
    slices[1].minimum_system = "12.0";
    EXPECT_EQ(
        said(slices),
        (Lines{"note: needs macos 10.13 by its slice for x86_64, and 12.0 by that for arm64 [slices-differ]", fix}));
}

TEST(Slices, TheFileSaysItOnce) {
    std::vector<Image> slices = both();
    slices[1].run_paths = {"@loader_path/lib"};
    EXPECT_EQ(lines(check_slices(slices, for_target("macosx-11.0-universal2"))).size(), 2U);
}

}  // namespace
}  // namespace nasm_build::inspect::testing
