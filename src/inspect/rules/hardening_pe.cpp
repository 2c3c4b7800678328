// The protections of Windows that a DLL asks for in its header, and that linkers ask for unless they are told not to.
#include <fmt/core.h>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

// Control-flow guard alone is no finding: the process decides, by python.exe's own header, and CPython's releases do not ask
// for it. It is named where something else is missing, so that one link mends all.
Verdict check_pe_hardening(const Image& image, const Expectations& /*expected*/) {
    Verdict verdict;
    if (image.format != Format::pe) {
        return verdict;
    }
    std::vector<std::string> missing;
    std::string words;
    const auto miss = [&](const char* what, const char* word) {
        missing.emplace_back(what);
        words += words.empty() ? word : fmt::format(" {}", word);
    };
    if (!image.pe.no_execute) {
        miss("data that cannot be executed (NX_COMPAT)", "/nxcompat");
    }
    if (!image.pe.dynamic_base) {
        miss("a random address (DYNAMIC_BASE)", "/dynamicbase");
    }
    if (!image.pe.high_entropy && image.pointer_bits == 64) {
        miss("a random address of 64 bits (HIGH_ENTROPY_VA)", "/highentropyva");
    }
    if (missing.empty()) {
        return verdict;
    }
    if (!image.pe.control_flow_guard) {
        miss("checked indirect calls (GUARD_CF)", "/guard:cf");
    }
    verdict.findings.push_back(make_finding(
        rule::missing_mitigations,
        {fmt::format("does not ask Windows for {}", list_of(missing)), fmt::format("link it with {}", words)}));
    return verdict;
}

}  // namespace nasm_build::inspect
