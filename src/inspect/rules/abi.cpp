#include "inspect/rules/abi.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/rules/abi_words.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using abi::Fault;

constexpr auto rule_ids =
    std::to_array<std::string_view>({rule::callee_saved, rule::stack_balance,  rule::direction_flag,
                                     rule::call_align,   rule::shadow_space,   rule::volatile_after_call,
                                     rule::red_zone,     rule::fallthrough,    rule::unwind_missing,
                                     rule::unwind_false, rule::win64_epilog,   rule::vzeroupper,
                                     rule::fp_state,     rule::stack_probe,    rule::jump_into_instruction,
                                     rule::endbr,        rule::shadow_stack,   rule::arg_undefined,
                                     rule::vararg_al,    rule::null_unchecked, rule::gil,
                                     rule::refcount_raw, rule::shared_static});

// One finding a rule, function and register: the first place stands for the others.
bool is_told(const std::vector<Finding>& findings, std::string_view rule, std::string_view message) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
        return one.rule == rule && std::string_view(one.message).starts_with(message);
    });
}

PathStep step_of(const SourceLine& source, const std::string& location, const std::string& words) {
    PathStep step;
    step.source = source;
    step.location = location;
    step.words = words;
    return step;
}

Finding finding_of(const Fault& fault, Told told) {
    const bool is_error = find_rule(told.rule)->severity == Severity::error;
    if (!fault.assumes.empty()) {
        told.message += fmt::format(", provided that {} returns", fault.assumes);
    }
    const bool is_certain = fault.assumes.empty() && !fault.is_doubtful;
    const Severity severity = is_error && !is_certain ? Severity::warning : find_rule(told.rule)->severity;
    Finding finding = make_finding(told.rule, severity, {std::move(told.message), std::move(told.fix), fault.name});
    for (const abi::Step& step : fault.path) {
        finding.path.push_back(step_of(step.source, step.location, step.words));
    }
    finding.path.push_back(step_of(fault.source, fault.location, "here"));
    if (!fault.source.file.empty()) {
        finding.places.push_back(fault.source);
    }
    return finding;
}

// Where a reference count may not be changed in place: free-threaded builds keep two of them at other places, abi3t says nothing of
// an object, and from 3.12 on abi3 leaves it to functions, for objects that are immortal (PEP 683).
bool counts_elsewhere(const Expectations& expected) {
    constexpr unsigned immortal_since = 12;
    return std::any_of(expected.pythons.begin(), expected.pythons.end(), [](const toolchain::PythonBuild& build) {
        const bool is_stable = build.abi == toolchain::Abi::abi3 && build.version.minor >= immortal_since;
        return build.free_threaded || build.abi == toolchain::Abi::abi3t || is_stable;
    });
}

std::string why_not_followed(const abi::Verified& verified) {
    std::vector<std::string> names;
    for (const abi::NotFollowed& one : verified.not_followed) {
        names.push_back(fmt::format("{}: {}", one.name, one.reason));
    }
    return fmt::format("{} of its {} functions could not be followed ({})", verified.not_followed.size(),
                       verified.functions, list_of(names, 3));
}

// The rules that the image's format has at all; the registry settles the others.
std::vector<std::string> rules_for(const Image& image) {
    std::vector<std::string> ids;
    for (const std::string_view id : rule_ids) {
        if (covers(find_rule(id)->formats, image.format)) {
            ids.emplace_back(id);
        }
    }
    return ids;
}

}  // namespace

Verdict check_abi(const abi::Verified& verified, const Image& image, const Expectations& expected) {
    Verdict verdict = verified.not_followed.empty() ? Verdict() : abi_not_checked(why_not_followed(verified), image);
    for (const Fault& fault : verified.faults) {
        if (fault.kind == abi::FaultKind::raw_reference_count && !counts_elsewhere(expected)) {
            continue;
        }
        Told told = words_of(fault, image);
        if (!is_told(verdict.findings, told.rule, told.message)) {
            verdict.findings.push_back(finding_of(fault, std::move(told)));
        }
    }
    return verdict;
}

Verdict abi_not_applicable(const std::string& reason, const Image& image) {
    Verdict verdict;
    for (std::string& id : rules_for(image)) {
        verdict.not_applicable.push_back({std::move(id), reason});
    }
    return verdict;
}

Verdict abi_not_checked(const std::string& reason, const Image& image) {
    Verdict verdict;
    for (std::string& id : rules_for(image)) {
        verdict.not_checked.push_back({std::move(id), reason});
    }
    return verdict;
}

}  // namespace nasm_build::inspect
