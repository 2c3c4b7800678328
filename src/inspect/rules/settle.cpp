// What became of every rule: found something, passed, not applicable, or not checked. Four different things, and a report
// that mixes the last three would call clean what nobody looked at.
#include <fmt/core.h>

#include <algorithm>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"

namespace nasm_build::inspect {

namespace {

template <typename Said>
bool names(const std::vector<Said>& said, std::string_view rule) {
    return std::any_of(said.begin(), said.end(), [&](const Said& one) { return one.rule == rule; });
}

bool is_said_of(const Verdict& verdict, std::string_view rule) {
    return names(verdict.findings, rule) || names(verdict.not_checked, rule) || names(verdict.not_applicable, rule);
}

// Why the rule has nothing to say of this image, or empty.
std::string why_not(const Rule& rule, const Image& image, const Expectations& expected) {
    if (!covers(rule.formats, image.format)) {
        return fmt::format("the file is {}", name_of(image.format));
    }
    if (rule.scope == Scope::module && !expected.is_extension_module) {
        return "the file is a library, not an extension module";
    }
    return {};
}

}  // namespace

std::vector<std::string> settle(Verdict& verdict, const Image& image, const Expectations& expected) {
    std::vector<std::string> passed;
    for (const Rule& rule : all_rules()) {
        const bool is_for_binaries = rule.scope == Scope::module || rule.scope == Scope::binary;
        if (!is_for_binaries || is_said_of(verdict, rule.id)) {
            continue;
        }
        if (std::string reason = why_not(rule, image, expected); !reason.empty()) {
            verdict.not_applicable.push_back({std::string(rule.id), std::move(reason)});
        } else {
            passed.emplace_back(rule.id);
        }
    }
    return passed;
}

}  // namespace nasm_build::inspect
