// `nasm-ext explain`: the page of a rule, or the list of all rules.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "inspect/rules/pages.hpp"
#include "inspect/rules/registry.hpp"

namespace nasm_build::cli {

namespace {

void list_rules() {
    std::size_t width = 0;
    for (const inspect::Rule& rule : inspect::all_rules()) {
        width = std::max(width, rule.id.size());
    }
    std::string_view family;
    for (const inspect::Rule& rule : inspect::all_rules()) {
        if (rule.family != family) {
            fmt::print("{}{}\n", family.empty() ? "" : "\n", rule.family);
            family = rule.family;
        }
        fmt::print("  {:<{}}  {:<7}  {}\n", rule.id, width, inspect::name_of(rule.severity), rule.summary);
    }
}

void explain(const std::string& id) {
    const inspect::Rule* const rule = inspect::find_rule(id);
    if (rule == nullptr) {
        std::vector<std::string_view> ids;
        for (const inspect::Rule& one : inspect::all_rules()) {
            ids.push_back(one.id);
        }
        const std::string_view meant = nearest(id, ids);
        throw Error(fmt::format("there is no rule named {}", id),
                    meant.empty() ? "nasm-ext explain, without a name, lists them all"
                                  : fmt::format("did you mean {}?", meant));
    }
    fmt::print("{}", inspect::rule_page(rule->id));
}

}  // namespace

void add_explain_command(CLI::App& app, int& exit_status) {
    const auto id = std::make_shared<std::string>();
    CLI::App* command =
        app.add_subcommand("explain", "Print what a rule of `check` means and how to mend what it finds");
    command->add_option("RULE", *id, "The id in brackets at the end of a finding; without one, all rules are listed");
    command->callback([id, &exit_status] {
        if (id->empty()) {
            list_rules();
        } else {
            explain(*id);
        }
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
