#include "inspect/rules/abi.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using abi::Fault;
using abi::FaultKind;

constexpr auto rule_ids =
    std::to_array<std::string_view>({rule::callee_saved, rule::stack_balance, rule::direction_flag, rule::call_align,
                                     rule::shadow_space, rule::volatile_after_call, rule::red_zone, rule::fallthrough});

/// What one kind of fault is called, and what to do about it.
struct Told {
    std::string_view rule;
    std::string message;
    std::string fix;
};

std::string_view volatile_registers(const Image& image) {
    return image.format == Format::pe ? abi::win64.volatile_names : abi::system_v.volatile_names;
}

// The place at which a register was first given another value on the way, or empty.
std::string first_write(const Fault& fault) {
    const auto found = std::find_if(fault.path.begin(), fault.path.end(),
                                    [](const abi::Step& step) { return step.words.ends_with("written here"); });
    if (found == fault.path.end()) {
        return {};
    }
    return found->source.file.empty() ? found->location : fmt::format("line {}", found->source.line);
}

Told callee_saved(const Fault& fault, const Image& image) {
    const std::string_view name = abi::name_of(fault.subject);
    const std::string place = first_write(fault);
    return {rule::callee_saved, fmt::format("{} returns with {} changed", fault.name, name),
            fmt::format("save {} {} and restore it before the return, or use a volatile register: {}", name,
                        place.empty() ? std::string("first") : "before " + place, volatile_registers(image))};
}

Told callee_saved_vector(const Fault& fault) {
    return {
        rule::callee_saved,
        fmt::format("{} returns with xmm{} changed, which on Windows belongs to its caller", fault.name, fault.vector),
        fmt::format("save all 16 bytes of xmm{} first and restore them before the return, or use xmm0-xmm5",
                    fault.vector)};
}

Told stack_balance(const Fault& fault) {
    if (fault.amount == 0) {
        return {rule::stack_balance,
                fmt::format("{} returns with a stack pointer that depends on the way there", fault.name),
                "give back on each way what that way took: every push has its pop, every `sub rsp` its `add rsp`"};
    }
    const bool is_below = fault.amount < 0;
    const std::int64_t bytes = std::abs(fault.amount);
    return {rule::stack_balance,
            fmt::format("{} returns with rsp {} bytes {} where it was at entry, so that `ret` takes something else for "
                        "its address",
                        fault.name, bytes, is_below ? "below" : "above"),
            is_below
                ? fmt::format("give back {} bytes before the return: a pop or `add rsp, {}` is missing", bytes, bytes)
                : fmt::format("take {} bytes less from the stack: a pop or `add rsp, {}` too many", bytes, bytes)};
}

std::string called(const Fault& fault) {
    return fault.callee.empty() ? "a function through a pointer" : fault.callee;
}

Told direction_flag(const Fault& fault) {
    return {rule::direction_flag,
            fault.callee.empty() ? fmt::format("{} returns with the direction flag set", fault.name)
                                 : fmt::format("{} calls {} with the direction flag set", fault.name, fault.callee),
            "put `cld` behind the last string instruction that runs backwards"};
}

Told call_align(const Fault& fault) {
    return {rule::call_align,
            fmt::format("{} calls {} with rsp {} bytes off a multiple of 16", fault.name, called(fault), fault.amount),
            fmt::format("take {} bytes more of the stack before the call, and give them back behind it", fault.amount)};
}

Told shadow_space(const Fault& fault) {
    return {rule::shadow_space,
            fmt::format("{} calls {} with {} of the 32 bytes that belong to the callee missing: it may write over the "
                        "return address",
                        fault.name, called(fault), std::min<std::int64_t>(fault.amount, 32)),
            "`sub rsp, 40` at the beginning (32 bytes, and 8 that keep rsp aligned), `add rsp, 40` before the return"};
}

Told volatile_after_call(const Fault& fault) {
    const std::string name = fault.subject == abi::Register::none ? fmt::format("xmm{}", fault.vector)
                                                                  : std::string(abi::name_of(fault.subject));
    return {rule::volatile_after_call,
            fmt::format("{} reads {} behind a call, which leaves anything in it", fault.name, name),
            "keep the value in a register that calls leave alone, or on the stack, over the call"};
}

Told red_zone(const Fault& fault, const Image& image) {
    return {rule::red_zone,
            image.format == Format::pe
                ? fmt::format("{} uses memory {} bytes below rsp, which Windows may overwrite at any time", fault.name,
                              fault.amount)
                : fmt::format("{} uses memory {} bytes below rsp; beyond 128 a signal may overwrite it", fault.name,
                              fault.amount),
            "move rsp below it first"};
}

Told fallthrough(const Fault& fault) {
    return {rule::fallthrough, fmt::format("{} runs on into {}", fault.name, fault.callee),
            "end it with `ret`, or with `jmp` where that is what it means"};
}

Told tell(const Fault& fault, const Image& image) {
    switch (fault.kind) {
        case FaultKind::callee_saved:
            return callee_saved(fault, image);
        case FaultKind::callee_saved_vector:
            return callee_saved_vector(fault);
        case FaultKind::stack_balance:
            return stack_balance(fault);
        case FaultKind::direction_flag:
            return direction_flag(fault);
        case FaultKind::call_align:
            return call_align(fault);
        case FaultKind::shadow_space:
            return shadow_space(fault);
        case FaultKind::volatile_after_call:
            return volatile_after_call(fault);
        case FaultKind::red_zone:
            return red_zone(fault, image);
        case FaultKind::fallthrough:
            break;
    }
    return fallthrough(fault);
}

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
    const Severity severity = is_error && !fault.assumes.empty() ? Severity::warning : find_rule(told.rule)->severity;
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

Verdict check_abi(const abi::Verified& verified, const Image& image) {
    Verdict verdict = verified.not_followed.empty() ? Verdict() : abi_not_checked(why_not_followed(verified), image);
    for (const Fault& fault : verified.faults) {
        Told told = tell(fault, image);
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
