// The table of rules, and that the pages and docs/rules.md say the same.
#include "inspect/rules/registry.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "inspect/rules/pages.hpp"

namespace nasm_build::inspect {
namespace {

std::string documentation() {
    std::ifstream file(REPOSITORY "/docs/rules.md");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Registry, IdsAreUniqueAndInKebabCase) {
    std::set<std::string_view> ids;
    for (const Rule& rule : all_rules()) {
        EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
        EXPECT_EQ(rule.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos)
            << rule.id;
        EXPECT_FALSE(rule.summary.empty() || rule.summary.ends_with('.')) << rule.id;
        EXPECT_EQ(find_rule(rule.id), &rule);
    }
    EXPECT_EQ(find_rule("no-such-rule"), nullptr);
    EXPECT_NE(find_rule("undefined-symbol"), nullptr);
}

// Each rule has a page: its id, then a line with its severity, its family and its summary.
TEST(Registry, EachRuleHasAPageThatSaysWhatTheTableSays) {
    for (const Rule& rule : all_rules()) {
        const std::string start = "# `" + std::string(rule.id) + "`\n\n**" + name_of(rule.severity) + "**, family *" +
                                  std::string(rule.family) + "*. " + std::string(rule.summary) + ".\n";
        const std::string page(rule_page(rule.id));
        EXPECT_EQ(page.substr(0, start.size()), start);
        for (const char* const heading : {"\n## In assembly\n\n", "\n## In C\n\n", "\n## In CMake\n\n"}) {
            EXPECT_NE(page.find(heading), std::string::npos) << rule.id << " lacks" << heading;
        }
    }
    std::size_t pages = 0;
    for (const auto& entry : std::filesystem::directory_iterator(REPOSITORY "/docs/rules")) {
        ++pages;
        EXPECT_NE(find_rule(entry.path().stem().string()), nullptr) << entry.path() << " is the page of no rule";
    }
    EXPECT_EQ(pages, all_rules().size());
}

TEST(Registry, TheIndexHasEachRuleAsTheTableHasIt) {
    const std::string text = documentation();
    std::size_t rows = 0;
    for (std::size_t place = text.find("\n| [`"); place != std::string::npos; place = text.find("\n| [`", place + 1)) {
        ++rows;
    }
    EXPECT_EQ(rows, all_rules().size()) << "docs/rules.md lists a rule that there is not";
    for (const Rule& rule : all_rules()) {
        const std::string id(rule.id);
        const std::string row = "\n| [`" + id + "`](rules/" + id + ".md) | " + name_of(rule.severity) + " | " +
                                std::string(rule.summary) + " |\n";
        EXPECT_NE(text.find(row), std::string::npos) << row;
    }
}

TEST(Registry, ARuleCoversTheFormatsThatItNames) {
    EXPECT_TRUE(covers(Formats::elf, Format::elf));
    EXPECT_FALSE(covers(Formats::elf, Format::pe));
    EXPECT_FALSE(covers(Formats::pe_and_macho, Format::elf));
    EXPECT_TRUE(covers(Formats::pe_and_macho, Format::macho));
    EXPECT_TRUE(covers(Formats::any, Format::macho));
}

}  // namespace
}  // namespace nasm_build::inspect
