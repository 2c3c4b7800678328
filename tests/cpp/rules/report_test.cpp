#include "inspect/report/report.hpp"

#include <gtest/gtest.h>

#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {
namespace {

FileReport file(const std::string& path, const std::string& member = {}) {
    FileReport one;
    one.path = path;
    one.member = member;
    one.format = "ELF";
    one.machine = "x86-64";
    one.is_module = true;
    one.module = "pymult";
    return one;
}

TEST(TextReport, OfNothing) {
    EXPECT_EQ(as_text({}), "checked 0 modules: 0 errors, 0 warnings, 0 notes\n");
}

TEST(TextReport, PlacesAreLinesWhereTheyAreKnown) {
    FileReport one = file("pymult.so");
    one.findings = {make_finding(rule::python_symbol_unknown, {"no CPython has Px", "spell it Py", "Px"})};
    one.findings.front().places = {{"pymult.asm", 24}, {"pymult.asm", 30}, {"other.asm", 0}};
    one.findings.push_back(make_finding(rule::build_path, {"looks there", "link without"}));
    EXPECT_EQ(as_text({{one}}),
              "pymult.asm:24: error: no CPython has Px [python-symbol-unknown]\n"
              "  also: pymult.asm:30\n"
              "  also: other.asm\n"
              "  fix: spell it Py\n"
              "pymult.so: warning: looks there [build-path]\n"
              "  fix: link without\n"
              "checked 1 module: 1 error, 1 warning, 0 notes\n"
              "rules: 0 passed, 0 not applicable, 0 not checked\n");
}

TEST(TextReport, ManyPlacesAreCounted) {
    FileReport one = file("pymult.so");
    one.findings = {make_finding(rule::python_symbol_unknown, {"no CPython has Px", "spell it Py", "Px"})};
    for (unsigned line = 1; line <= 8; ++line) {
        one.findings.front().places.push_back({"a.asm", line});
    }
    EXPECT_NE(as_text({{one}}).find("  also: a.asm:5\n  also: 3 more places\n"), std::string::npos);
}

TEST(TextReport, WheelsSlicesLibrariesAndWhatWasNotChecked) {
    FileReport one = file("dist/x.whl", "pkg/m.so");
    one.slice = "arm64";
    one.findings = {make_finding(rule::extra_exports, {"exports more", "hide it"})};
    one.findings.front().silenced = "needed by C";
    one.not_checked = {{"python-symbol-missing", "nobody said"}};
    FileReport other = one;
    other.slice = "x86_64";
    other.findings.clear();
    other.not_checked.clear();
    FileReport library = file("dist/x.whl", "pkg.libs/z.so");
    library.is_module = false;
    library.passed = {"wrong-platform", "not-loadable"};
    library.not_applicable = {{"entry-missing", "the file is a library, not an extension module"}};
    FileReport broken = file("cut.so");
    broken.status = FileStatus::unreadable;
    broken.reason = "the file is empty";
    EXPECT_EQ(as_text({{one, other, library, broken}}),
              "dist/x.whl: pkg/m.so (arm64): silenced note: exports more [extra-exports]\n"
              "  reason: needed by C\n"
              "dist/x.whl: pkg/m.so (arm64): not checked: python-symbol-missing, because nobody said\n"
              "cut.so: error: the file is empty\n"
              "checked 1 module and 1 library: 0 errors, 0 warnings, 0 notes, 1 silenced, 1 file unreadable\n"
              "rules: 2 passed, 1 not applicable, 1 not checked\n");
}

TEST(TextReport, NamesCannotSteerATerminal) {
    FileReport one = file("\x1b[2Jx.so");
    one.findings = {make_finding(rule::extra_exports, {"exports one name: \x1b]0;x\x07\xc2\x9b"
                                                       "1m\xc3\x9b",
                                                       {}})};
    EXPECT_EQ(as_text({{one}}),
              "\\x1b[2Jx.so: note: exports one name: \\x1b]0;x\\x07\xc2\\x9b1m\xc3\x9b [extra-exports]\n"
              "checked 1 module: 0 errors, 0 warnings, 1 note\n"
              "rules: 0 passed, 0 not applicable, 0 not checked\n");
}

TEST(Summary, CountsSlicesOfAFileOnce) {
    FileReport first = file("m.so");
    first.slice = "x86_64";
    FileReport second = file("m.so");
    second.slice = "arm64";
    const Summary sum = summarize({{first, second, file("n.so")}});
    EXPECT_EQ(sum.files, 2U);
    EXPECT_EQ(sum.modules, 2U);
}

TEST(JsonReport, NamesThatAreNotUtf8DoNotBreakIt) {
    const std::string text = as_json({{file("\xff.so")}});
    EXPECT_NE(text.find("\"path\": \"\xef\xbf\xbd.so\""), std::string::npos) << text;
}

}  // namespace
}  // namespace nasm_build::inspect
