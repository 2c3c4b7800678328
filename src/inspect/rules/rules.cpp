#include "inspect/rules/rules.hpp"

namespace nasm_build::inspect {

Verdict check_image(const Image& image, const Expectations& expected) {
    Verdict all;
    for (const auto family : {check_platform, check_entry, check_python_api, check_python_library, check_tables,
                              check_undefined_symbols, check_policy, check_load, check_elf_loading, check_pe_loading,
                              check_macho_loading, check_elf_hardening, check_pe_hardening, check_hygiene}) {
        append(all, family(image, expected));
    }
    sort_by_severity(all.findings);
    return all;
}

}  // namespace nasm_build::inspect
