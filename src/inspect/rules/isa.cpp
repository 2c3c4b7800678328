#include "inspect/rules/isa.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "inspect/rules/isa_baseline.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using code::Code;
using code::FeatureSet;
using code::Function;
using code::Level;
using code::Witness;

// `x86-64-v3`, `x86-64-v4 and avx512vnni`, `aes and sha`.
std::string words_of(const FeatureSet& features) {
    std::vector<std::string> words = code::beyond_levels(features);
    const Level level = code::level_of(features);
    if (level > Level::v1) {
        words.insert(words.begin(), std::string(code::name_of(level)));
    }
    return list_of(words, 6);
}

bool weighs_more(const FeatureSet& one, const FeatureSet& other) {
    return std::pair(code::level_of(one), code::beyond_levels(one).size()) >
           std::pair(code::level_of(other), code::beyond_levels(other).size());
}

/// A function with what it needs above the baseline.
struct Above {
    const Function* function = nullptr;
    FeatureSet features;
};

// The ones that need most come first.
std::vector<Above> above_baseline(const Code& code, const FeatureSet& baseline, bool is_asked) {
    std::vector<Above> found;
    for (const Function& function : code.functions) {
        const FeatureSet features = function.features.without(baseline);
        if (!features.empty() && (is_asked || !function.follows_runtime)) {
            found.push_back({&function, features});
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Above& one, const Above& other) { return weighs_more(one.features, other.features); });
    return found;
}

std::vector<std::string> names_of(const std::vector<Above>& above) {
    std::vector<std::string> names;
    names.reserve(above.size());
    for (const Above& one : above) {
        names.push_back(code::display_name(*one.function));
    }
    return names;
}

std::string counted_functions(std::size_t count) {
    return count == 1 ? "1 function" : fmt::format("{} functions", count);
}

// The instruction to show: one of the function's highest level, or of no level.
const Witness& witness_of(const Above& above) {
    const std::vector<Witness>& all = above.function->witnesses;
    const Level level = code::level_of(above.features);
    const auto found = std::find_if(all.begin(), all.end(), [&](const Witness& witness) {
        return above.features.has(witness.feature) && code::level_of(witness.feature) == level;
    });
    return found == all.end() ? all.front() : *found;
}

// Libraries that are there once for each processor say so by their names, and whoever loads them asks.
bool is_named_for_a_processor(const Image& image, const Expectations& expected) {
    constexpr auto words =
        std::to_array<std::string_view>({"avx", "sse4", "ssse3", "haswell", "skylake", "icelake", "sapphirerapids",
                                         "alderlake", "sandybridge", "zen", "x86-64-v", "x86_64_v", "x86_64v"});
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return expected.module_name.find(word) != std::string::npos || image.soname.find(word) != std::string::npos;
    });
}

FeatureSet all_of(const std::vector<Above>& above) {
    FeatureSet features;
    for (const Above& one : above) {
        features.add(one.features);
    }
    return features;
}

void check_baseline(Verdict& verdict, const Code& code, const Image& image, const Expectations& expected) {
    const bool asks = !code.asks.empty();
    const std::vector<Above> above = above_baseline(code, baseline_of(image, expected), asks);
    if (above.empty()) {
        return;
    }
    const FeatureSet features = all_of(above);
    if (asks || is_named_for_a_processor(image, expected)) {
        verdict.findings.push_back(
            make_finding(rule::isa_above_baseline, Severity::note,
                         {fmt::format("has code for {} in {} ({}), and {}", words_of(features),
                                      counted_functions(above.size()), list_of(names_of(above), 3),
                                      asks ? fmt::format("asks the processor ({})", list_of(code.asks))
                                           : "its name says so: what loads it must ask the processor"),
                          {}}));
        return;
    }
    // Processors without x86-64-v2 were last made in 2011; what is above it is missing in some that are sold today.
    const FeatureSet beyond_v2 = features.without(code::features_of(Level::v2));
    const Witness& witness = witness_of(above.front());
    const std::string name = code::display_name(*above.front().function);
    const std::string others =
        above.size() == 1 ? std::string() : fmt::format(", and {} more", counted_functions(above.size() - 1));
    verdict.findings.push_back(make_finding(
        rule::isa_above_baseline, beyond_v2.empty() ? Severity::note : Severity::warning,
        {fmt::format("needs {} ({} in {}{}), and nothing in it asks the processor: one without stops there with an "
                     "illegal instruction",
                     words_of(features), witness.mnemonic, name, others),
         "ask cpuid (in C: __builtin_cpu_supports) before it is called, and keep a plain version; or compile without "
         "-march, -mavx2, /arch",
         above.front().function->name}));
}

void check_decoded(Verdict& verdict, const Code& code) {
    constexpr std::uint64_t one_in = 20;
    const bool is_said = !verdict.findings.empty();
    if (is_said || code.size == 0 || code.not_decoded * one_in <= code.functions.size()) {
        return;
    }
    verdict.not_checked.push_back({std::string(rule::isa_above_baseline),
                                   fmt::format("{} of its {} functions could not be decoded", code.not_decoded,
                                               code.not_decoded + code.functions.size())});
}

// Why nobody asks the module to keep frames, or empty.
std::string frames_not_asked(const Expectations& expected) {
    constexpr toolchain::PythonVersion first{3, 15};
    if (!expected.python || expected.python->version < first) {
        return "PEP 831 asks it of what is built for CPython 3.15 and later";
    }
    return {};
}

// A profiler that follows rbp loses the caller of a function without a frame. Leaf functions are passed over, and short ones,
// which are wrappers; so are parts of functions, whose frame another part has made.
void check_frames(Verdict& verdict, const Code& code, const Image& image, const Expectations& expected) {
    if (image.format == Format::pe || !expected.is_extension_module) {
        return;  // settled by the registry's row
    }
    if (std::string reason = frames_not_asked(expected); !reason.empty()) {
        verdict.not_applicable.push_back({std::string(rule::frame_pointers), std::move(reason)});
        return;
    }
    constexpr std::uint64_t is_short = 16;
    std::vector<std::string> names;
    for (const Function& function : code.functions) {
        if (function.calls && !function.keeps_frame && !function.is_part && function.instructions > is_short) {
            names.push_back(code::display_name(function));
        }
    }
    if (names.empty()) {
        return;
    }
    verdict.findings.push_back(make_finding(
        rule::frame_pointers,
        {fmt::format("keeps no frame pointer in {} ({}), so profilers lose the stack there",
                     names.size() == 1 ? "1 function that makes calls"
                                       : fmt::format("{} functions that make calls", names.size()),
                     list_of(names, 3)),
         "begin such functions with `push rbp` and `mov rbp, rsp` (Python.inc's functions do), compile C with "
         "-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer",
         names.size() == 1 ? names.front() : std::string()}));
}

}  // namespace

Verdict check_code(const Code& code, const Image& image, const Expectations& expected) {
    Verdict verdict;
    check_baseline(verdict, code, image, expected);
    check_decoded(verdict, code);
    check_frames(verdict, code, image, expected);
    return verdict;
}

Verdict code_not_applicable(const std::string& reason) {
    Verdict verdict;
    verdict.not_applicable = {{std::string(rule::isa_above_baseline), reason},
                              {std::string(rule::frame_pointers), reason}};
    return verdict;
}

Verdict code_not_checked(const std::string& reason) {
    Verdict verdict;
    verdict.not_checked = {{std::string(rule::isa_above_baseline), reason}};
    return verdict;
}

}  // namespace nasm_build::inspect
