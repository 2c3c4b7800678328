// The table of rules, and that docs/rules.md says the same.
#include "inspect/rules/registry.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

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

// Each rule has a heading, then a line with its severity, its family and its summary.
TEST(Registry, TheDocumentationHasEachRuleAsTheTableHasIt) {
    const std::string text = documentation();
    for (const Rule& rule : all_rules()) {
        const std::string section = "\n### `" + std::string(rule.id) + "`\n\n**" + name_of(rule.severity) +
                                    "**, family *" + std::string(rule.family) + "*. " + std::string(rule.summary) +
                                    ".\n";
        EXPECT_NE(text.find(section), std::string::npos) << section;
    }
    std::size_t headings = 0;
    for (std::size_t place = text.find("\n### `"); place != std::string::npos;
         place = text.find("\n### `", place + 1)) {
        ++headings;
    }
    EXPECT_EQ(headings, all_rules().size()) << "docs/rules.md documents a rule that there is not";
}

}  // namespace
}  // namespace nasm_build::inspect
