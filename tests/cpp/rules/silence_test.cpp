#include "inspect/silence.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/error.hpp"
#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {
namespace {

// `message` and `fix` of the Error that a call throws.
template <typename Call>
std::vector<std::string> refusal(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return {error.what(), error.fix()};
    }
    return {"nothing was refused"};
}

class Pyproject : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
        path_ = std::filesystem::temp_directory_path() / (std::string("nasm-build-") + test->name() + ".toml");
    }
    void TearDown() override { std::filesystem::remove(path_); }

    std::vector<Suppression> read(const std::string& text) {
        std::ofstream(path_, std::ios::binary) << text;
        return read_check_settings(path_).suppressions;
    }
    std::vector<std::string> refused(const std::string& text) {
        std::vector<std::string> said = refusal([&] { (void)read(text); });
        const std::string name = path_.string();
        if (said.front().starts_with(name)) {
            said.front().replace(0, name.size(), "FILE");
        }
        return said;
    }

private:
    std::filesystem::path path_;
};

using Said = std::vector<std::string>;

TEST_F(Pyproject, WithoutATableSaysNothing) {
    EXPECT_TRUE(read("").empty());
    EXPECT_TRUE(read("[project]\nname = 'x'\n[tool.nasm-build]\n").empty());
    EXPECT_TRUE(read("[tool.nasm-build.check]\n").empty());
}

TEST_F(Pyproject, GivesRulesAndReasons) {
    const auto found =
        read("[tool.nasm-build.check]\nignore = [{ rule = 'extra-exports', reason = ' a C library calls these ' }]\n");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().rule, "extra-exports");
    EXPECT_EQ(found.front().reason, "a C library calls these");
}

TEST_F(Pyproject, NeedsReasonsAndKnownNames) {
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignore = [\n  { rule = 'extra-export', reason = 'x' }]\n"),
              (Said{"FILE:3: there is no rule named extra-export", "did you mean extra-exports?"}));
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignore = [{ rule = 'extra-exports' }]\n"),
              (Said{"FILE:2: extra-exports is ignored without a reason",
                    "write { rule = \"extra-exports\", reason = \"why it is right here\" }"}));
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignore = [{ rule = 'extra-exports', reason = ' ' }]\n").front(),
              "FILE:2: extra-exports is ignored without a reason");
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignore = [{ rule = 'extra-exports', raeson = 'x' }]\n"),
              (Said{"FILE:2: unknown key raeson in an entry of ignore", "did you mean reason?"}));
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignored = []\n"),
              (Said{"FILE:2: unknown key ignored in [tool.nasm-build.check]", "did you mean ignore?"}));
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignore = ['extra-exports']\n"),
              (Said{"FILE:2: an entry of ignore is not a table",
                    "write ignore = [{ rule = \"…\", reason = \"why it is right here\" }]"}));
    EXPECT_EQ(refused("[tool.nasm-build.check]\nignore = 'extra-exports'\n").front(), "FILE:2: ignore is not a list");
    EXPECT_EQ(refused("[tool.nasm-build]\ncheck = 3\n").front(), "FILE:2: [tool.nasm-build.check] is not a table");
}

TEST_F(Pyproject, MustBeToml) {
    const Said said = refused("[tool.nasm-build.check\n");
    EXPECT_TRUE(said.front().starts_with("FILE:1: not TOML: ")) << said.front();
}

TEST_F(Pyproject, MustBeThere) {
    EXPECT_EQ(refusal([] { (void)read_check_settings("/nowhere/pyproject.toml"); }),
              (Said{"/nowhere/pyproject.toml: there is no such file", "give --config a pyproject.toml that is there"}));
}

TEST(Ignore, OnTheCommandLine) {
    const Suppression found = parse_suppression("build-path=only for this machine = mine");
    EXPECT_EQ(found.rule, "build-path");
    EXPECT_EQ(found.reason, "only for this machine = mine");
    EXPECT_EQ(refusal([] { (void)parse_suppression("build-path"); }),
              (Said{"--ignore: build-path is ignored without a reason",
                    "write --ignore \"build-path=why it is right here\""}));
    EXPECT_EQ(refusal([] { (void)parse_suppression("execstack=x"); }).front(),
              "--ignore: there is no rule named execstack");
    EXPECT_EQ(refusal([] { (void)parse_suppression("executable-stak=x"); }).back(), "did you mean executable-stack?");
}

TEST(Silence, GivesTheReasonToFindingsOfTheRule) {
    std::vector<Finding> findings = {make_finding(rule::build_path, {"one", ""}),
                                     make_finding(rule::extra_exports, {"two", ""})};
    const std::vector<Suppression> suppressions = {{"build-path", "first"}, {"build-path", "second"}};
    silence(findings, suppressions);
    EXPECT_EQ(findings[0].silenced, "first");
    EXPECT_EQ(findings[1].silenced, "");
}

}  // namespace
}  // namespace nasm_build::inspect
