#include "inspect/report/fingerprint.hpp"

#include <gtest/gtest.h>

#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {
namespace {

FileReport file(const std::string& path, const std::string& member = {}) {
    FileReport one;
    one.path = path;
    one.member = member;
    return one;
}

std::string of(const FileReport& one, const Finding& finding) {
    return Fingerprints().next(one, finding);
}

const Finding unknown = make_finding(rule::python_symbol_unknown, {"no CPython has Px", "spell it Py", "Px"});

TEST(Fingerprint, StaysWhatItIs) {
    // Written down: baselines that projects keep must be known again by every later version.
    EXPECT_EQ(of(file("m.so"), unknown), "63c3d3d8c7287f16:1");
}

TEST(Fingerprint, FoldersVersionsTagsAndWordsDoNotCount) {
    Finding worded = unknown;
    worded.message = "said otherwise";
    worded.severity = Severity::warning;
    worded.places = {{"m.asm", 3}};
    EXPECT_EQ(of(file("build/m.cpython-313-x86_64-linux-gnu.so"), unknown), of(file("m.so"), worded));
    EXPECT_EQ(of(file("dist/m-1.0-cp312-cp312-linux_x86_64.whl", "m/k.cpython-312-x86_64-linux-gnu.so"), unknown),
              of(file("m-2.0-cp313-cp313-win_amd64.whl", "m/k.cp313-win_amd64.pyd"), unknown));
}

TEST(Fingerprint, RuleFileSliceAndSymbolCount) {
    Finding other_symbol = unknown;
    other_symbol.symbol = "Pz";
    FileReport slice = file("m.so");
    slice.slice = "arm64";
    EXPECT_NE(of(file("m.so"), unknown), of(file("n.so"), unknown));
    EXPECT_NE(of(file("m.so"), unknown), of(file("m.so"), other_symbol));
    EXPECT_NE(of(file("m.so"), unknown), of(slice, unknown));
    EXPECT_NE(of(file("m.so"), unknown), of(file("m.so"), make_finding(rule::undefined_symbol, {"", "", "Px"})));
}

TEST(Fingerprint, TheSecondOfAKindIsNumbered) {
    Fingerprints fingerprints;
    const std::string first = fingerprints.next(file("m.so"), unknown);
    const std::string second = fingerprints.next(file("m.so"), unknown);
    EXPECT_EQ(first.substr(0, 17), second.substr(0, 17));
    EXPECT_TRUE(first.ends_with(":1") && second.ends_with(":2")) << first << " " << second;
}

}  // namespace
}  // namespace nasm_build::inspect
