// Wheels as a whole, made by hand: what they say against what they hold.
#include "inspect/rules/wheel.hpp"

#include <gtest/gtest.h>

#include "images.hpp"
#include "inspect/tags/suffixes.hpp"

namespace nasm_build::inspect::testing {
namespace {

using Words = std::vector<std::string>;

WheelBinary module_at(const std::string& member) {
    const Expectations by_name = expectations_from_path(member);
    return {member, by_name.is_extension_module, by_name.module_name, by_name.suffix, by_name.python, false};
}

// A wheel with those modules and nothing wrong, as far as its name allows.
WheelFacts wheel_with(const std::string& name, const Words& members) {
    Words entries = members;
    std::string record;
    for (const std::string& member : members) {
        record += member + ",sha256=x,1\n";
    }
    WheelFacts facts =
        wheel_facts(name, entries, {"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n", "Name: p\n", record});
    for (const std::string& member : members) {
        facts.binaries.push_back(module_at(member));
    }
    facts.promised = merge({}, expectations_from_wheel_name(name), {});
    return facts;
}

Lines check(const WheelFacts& wheel) {
    return lines(check_wheel(wheel));
}

TEST(WheelFacts, OfTheTexts) {
    const WheelFacts facts = wheel_facts(
        "dist/p-1-2-cp310.cp311-abi3-linux_x86_64.whl", {"a.py"},
        {"Wheel-Version: 1.0\r\nroot-is-purelib: True\r\nTag: cp310-abi3-linux_x86_64\r\nTag: cp311-abi3-linux_x86_64\r\n",
         "Name: p\nRequires-Dist: q\n\nRequires-Dist: in the description\n",
         "a.py,sha256=x,1\n\"b, \"\"c\"\".so\",sha256=y,2\np-1.dist-info/RECORD,,\n"});
    EXPECT_EQ(facts.python_tags, (Words{"cp310", "cp311"}));
    EXPECT_EQ(facts.abi_tags, Words{"abi3"});
    EXPECT_EQ(facts.platform_tags, Words{"linux_x86_64"});
    EXPECT_EQ(facts.tag_lines, (Words{"cp310-abi3-linux_x86_64", "cp311-abi3-linux_x86_64"}));
    EXPECT_TRUE(facts.root_is_purelib);
    EXPECT_TRUE(facts.has_dependencies);
    EXPECT_TRUE(facts.recorded.contains("b, \"c\".so"));
    EXPECT_EQ(facts.recorded.size(), 3U);
    EXPECT_FALSE(wheel_facts("p.whl", {}, {}).has_record);
    EXPECT_FALSE(wheel_facts("p.whl", {}, {{}, "Name: p\n\nRequires-Dist: q\n", {}}).has_dependencies);
}

TEST(WheelRules, NothingIsWrong) {
    const WheelFacts wheel =
        wheel_with("p-1-cp313-cp313-linux_x86_64.whl", {"pkg/mod.cpython-313-x86_64-linux-gnu.so"});
    const Verdict verdict = check_wheel(wheel);
    EXPECT_EQ(lines(verdict), Lines{});
    EXPECT_EQ(passed_by_wheel(verdict), (Words{"module-not-found-by-name", "purelib-module", "tag-mismatch",
                                               "invented-cpu-tag", "duplicate-entry", "record-incomplete"}));
}

TEST(WheelRules, EveryPromisedCPythonMustFindAModule) {
    const std::string name = "p-1-cp312.cp313-cp312.cp313-linux_x86_64.whl";
    const std::string first = "mod.cpython-312-x86_64-linux-gnu.so";
    EXPECT_EQ(check(wheel_with(name, {first, "mod.cpython-313-x86_64-linux-gnu.so"})), Lines{});
    EXPECT_EQ(check(wheel_with(name, {first})),
              (Lines{"error: CPython 3.13 for linux-x86_64 finds no module mod: it does not look for " + first +
                         " [module-not-found-by-name]",
                     "fix: give the file a name that all of them look for, ending in "
                     ".cpython-312-x86_64-linux-gnu.so"}));
    EXPECT_EQ(check(wheel_with("p-1-cp312-abi3-win_amd64.whl", {"mod.pyd"})), Lines{});
    EXPECT_EQ(check(wheel_with("p-1-cp315-abi3.abi3t-linux_x86_64.whl", {"mod.abi3t.so"})), Lines{});
    EXPECT_EQ(check(wheel_with("p-1-cp315-abi3.abi3t-linux_x86_64.whl", {"mod.abi3.so"})),
              (Lines{"error: CPython 3.15t for linux-x86_64 finds no module mod: it does not look for mod.abi3.so "
                     "[module-not-found-by-name]",
                     "fix: give the file a name that all of them look for, ending in .abi3t.so"}));
    const Verdict anyone = check_wheel(wheel_with("p-1-py3-none-linux_x86_64.whl", {"mod.so"}));
    ASSERT_EQ(anyone.not_applicable.size(), 1U);
    EXPECT_EQ(anyone.not_applicable[0].rule, "module-not-found-by-name");
}

TEST(WheelRules, AnEnginesOwnTagDoesNotTellTheCLibrary) {
    const std::string musl = "mod.cpython-313-x86_64-linux-musl.so";
    EXPECT_EQ(check(wheel_with("p-1-cp313-cp313-linux_x86_64.whl", {musl})), Lines{});
    EXPECT_EQ(check(wheel_with("p-1-cp313-cp313-musllinux_1_2_x86_64.whl", {musl})), Lines{});
    EXPECT_EQ(check(wheel_with("p-1-cp313-cp313-manylinux_2_17_x86_64.whl", {musl})),
              (Lines{"error: CPython 3.13 for linux-x86_64 finds no module mod: it does not look for " + musl +
                         " [module-not-found-by-name]",
                     "fix: give the file a name that all of them look for, ending in "
                     ".cpython-313-x86_64-linux-gnu.so"}));
}

TEST(WheelRules, CompressedTagLines) {
    WheelFacts wheel = wheel_with("p-1-cp312-abi3-linux_x86_64.whl", {"mod.abi3.so"});
    wheel.tag_lines = {"cp312-abi3-linux_x86_64"};
    EXPECT_EQ(check(wheel), Lines{});
    wheel = wheel_with("p-1-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", {"mod.abi3.so"});
    wheel.tag_lines = {"cp312-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64"};
    EXPECT_EQ(check(wheel), Lines{});
}

TEST(WheelRules, OneInventedTagOfSeveralIsAWarning) {
    EXPECT_EQ(check(wheel_with("p-1-cp312-abi3-linux_x86_64.linux_x86_64_v3.whl", {"mod.abi3.so"})),
              (Lines{"warning: no installer takes linux_x86_64_v3: it is the tag of no system [invented-cpu-tag]",
                     "fix: name the machine as uname -m does (x86_64), and choose the faster code inside the module"}));
}

TEST(WheelRules, NamesThatTidyToOne) {
    WheelFacts wheel = wheel_with("p-1-cp312-abi3-linux_x86_64.whl", {"mod.abi3.so"});
    wheel.entries.emplace_back("./mod.abi3.so");
    EXPECT_EQ(
        check(wheel),
        (Lines{"warning: mod.abi3.so and ./mod.abi3.so are one file where case does not count or paths are tidied "
               "[duplicate-entry]",
               "fix: rename one of them: Windows and macOS keep only the one that is unpacked last"}));
}

TEST(Suffixes, ByVersion) {
    const toolchain::Target gnu = toolchain::find_target("linux-x86_64");
    const toolchain::Target windows = toolchain::find_target("win-amd64");
    const toolchain::Target macos = toolchain::find_target("macosx-11.0-arm64");
    const auto of = [](const toolchain::Target& target, const char* version) {
        return extension_suffixes(target, toolchain::parse_python(version));
    };
    EXPECT_EQ(of(gnu, "3.7"), (Words{".cpython-37m-x86_64-linux-gnu.so", ".abi3.so", ".so"}));
    EXPECT_EQ(of(gnu, "3.13"), (Words{".cpython-313-x86_64-linux-gnu.so", ".abi3.so", ".so"}));
    EXPECT_EQ(of(gnu, "3.13d"),
              (Words{".cpython-313d-x86_64-linux-gnu.so", ".cpython-313-x86_64-linux-gnu.so", ".abi3.so", ".so"}));
    EXPECT_EQ(of(gnu, "3.14t"), (Words{".cpython-314t-x86_64-linux-gnu.so", ".so"}));
    EXPECT_EQ(of(gnu, "3.15"), (Words{".cpython-315-x86_64-linux-gnu.so", ".abi3-x86_64-linux-gnu.so", ".abi3.so",
                                      ".abi3t-x86_64-linux-gnu.so", ".abi3t.so", ".so"}));
    EXPECT_EQ(of(gnu, "3.15t"),
              (Words{".cpython-315t-x86_64-linux-gnu.so", ".abi3t-x86_64-linux-gnu.so", ".abi3t.so", ".so"}));
    EXPECT_EQ(of(macos, "3.12"), (Words{".cpython-312-darwin.so", ".abi3.so", ".so"}));
    EXPECT_EQ(of(windows, "3.13"), (Words{".cp313-win_amd64.pyd", ".pyd"}));
    EXPECT_EQ(of(windows, "3.13t"), (Words{".cp313t-win_amd64.pyd", ".pyd"}));
    EXPECT_EQ(of(windows, "3.13d"), (Words{"_d.cp313-win_amd64.pyd", "_d.pyd"}));
    EXPECT_EQ(of(toolchain::find_target("linux-sparc64"), "3.13"), Words{}) << "not compared with one";
}

TEST(Suffixes, OfAPromise) {
    EXPECT_EQ(promised_builds(toolchain::parse_stable_abi("3.13")).size(), 3U);
    EXPECT_EQ(promised_builds(toolchain::parse_stable_abi("3.15t")).size(), 2U);
    EXPECT_EQ(promised_builds(toolchain::parse_python("3.13t")).size(), 1U);
}

}  // namespace
}  // namespace nasm_build::inspect::testing
