// What the slices of a fat file say of each other: they are one module, so they should be one build.
#include "inspect/rules/slices.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/systems.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using Names = std::set<std::string>;

// Weak definitions are left out: which of C++'s inline functions are emitted is up to each machine's compiler.
Names exports_of(const Image& image) {
    Names names;
    for (const Export& one : image.exports) {
        if (!one.weak) {
            names.insert(one.name);
        }
    }
    return names;
}

// Python's names alone: what compilers call by themselves (`__divti3`, `memcpy`) differs from machine to machine.
Names python_imports_of(const Image& image) {
    Names names;
    for (const Import& one : image.imports) {
        if (one.name.starts_with("Py") || one.name.starts_with("_Py")) {
            names.insert(one.name);
        }
    }
    return names;
}

Names libraries_of(const Image& image) {
    Names names;
    for (const Library& one : image.libraries) {
        names.insert(one.name);
    }
    return names;
}

Names run_paths_of(const Image& image) {
    return {image.run_paths.begin(), image.run_paths.end()};
}

std::vector<std::string> only_in(const Names& one, const Names& other) {
    std::vector<std::string> names;
    std::set_difference(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(names));
    return names;
}

constexpr const char* fix =
    "build all slices from the same sources with the same options, then join them (lipo -create)";

void compare(Verdict& verdict, const Image& first, const Image& other, Severity severity, const char* verb,
             Names (*names_of_slice)(const Image&)) {
    const Names of_first = names_of_slice(first);
    const Names of_other = names_of_slice(other);
    const auto say = [&](const Image& has, const Image& lacks, const std::vector<std::string>& names) {
        if (!names.empty()) {
            verdict.findings.push_back(make_finding(rule::slices_differ, severity,
                                                    {fmt::format("{} {} in its slice for {}, but not in that for {}",
                                                                 verb, list_of(names), has.slice, lacks.slice),
                                                     fix}));
        }
    };
    say(first, other, only_in(of_first, of_other));
    say(other, first, only_in(of_other, of_first));
}

void compare_systems(Verdict& verdict, const Image& first, const Image& other) {
    const auto one = parse_system_version(first.minimum_system);
    const auto two = parse_system_version(other.minimum_system);
    if (!one || !two || first.platform != other.platform) {
        return;
    }
    // Of a macOS that both machines have, both slices say the same; before it there is one machine alone.
    const auto in_common = [&](SystemVersion version) {
        return std::max(at_least_first_of(first.machine, version), at_least_first_of(other.machine, version));
    };
    if (in_common(*one) != in_common(*two)) {
        verdict.findings.push_back(
            make_finding(rule::slices_differ, Severity::note,
                         {fmt::format("needs {} {} by its slice for {}, and {} by that for {}", first.platform,
                                      first.minimum_system, first.slice, other.minimum_system, other.slice),
                          fix}));
    }
}

}  // namespace

void compare_slices(Verdict& verdict, std::span<const Image> slices) {
    for (std::size_t i = 1; i < slices.size(); ++i) {
        const Image& first = slices.front();
        const Image& other = slices[i];
        compare(verdict, first, other, Severity::warning, "needs", libraries_of);
        compare(verdict, first, other, Severity::warning, "looks for libraries in", run_paths_of);
        compare(verdict, first, other, Severity::note, "exports", exports_of);
        compare(verdict, first, other, Severity::note, "uses", python_imports_of);
        compare_systems(verdict, first, other);
    }
}

}  // namespace nasm_build::inspect
