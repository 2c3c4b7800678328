#include "inspect/rules/rules.hpp"

#include <algorithm>
#include <iterator>

namespace nasm_build::inspect {

Verdict check_image(const Image& image, const Expectations& expected) {
    Verdict all;
    for (const auto family : {check_platform, check_entry, check_python_api, check_python_library, check_tables,
                              check_undefined_symbols, check_policy, check_load, check_elf_loading, check_pe_loading,
                              check_macho_loading, check_elf_hardening, check_pe_hardening, check_hygiene}) {
        Verdict one = family(image, expected);
        std::move(one.findings.begin(), one.findings.end(), std::back_inserter(all.findings));
        std::move(one.not_checked.begin(), one.not_checked.end(), std::back_inserter(all.not_checked));
        std::move(one.not_applicable.begin(), one.not_applicable.end(), std::back_inserter(all.not_applicable));
    }
    std::stable_sort(all.findings.begin(), all.findings.end(),
                     [](const Finding& one, const Finding& other) { return one.severity < other.severity; });
    return all;
}

}  // namespace nasm_build::inspect
