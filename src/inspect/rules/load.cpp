// What a loader refuses, or lets through today: executable stacks, text relocations, memory that is writable and
// executable at once.
#include <fmt/core.h>

#include <algorithm>

#include "inspect/rules/c_library.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

constexpr const char* stack_section = "section .note.GNU-stack noalloc noexec nowrite progbits";

// Where a file says nothing, glibc takes the stack for executable on these machines (DEFAULT_STACK_PERMS in
// sysdeps/*/stackinfo.h); on the others a missing header asks for nothing.
bool missing_header_means_executable(Machine machine) {
    return machine == Machine::x86 || machine == Machine::x86_64 || machine == Machine::arm ||
           machine == Machine::s390x;
}

// musl's loader never looks at the header of a library, so there the stack is what the program asked for.
void check_stack(Verdict& verdict, const Image& image, const Expectations& expected) {
    const std::string fix =
        fmt::format("link with -z noexecstack, or put `{}` at the end of each source", stack_section);
    const Severity severity = severity_by_library(expected, Severity::error);
    if (image.stack == Stack::executable) {
        verdict.findings.push_back(
            make_finding(rule::executable_stack, severity,
                         {"asks for an executable stack, and glibc from 2.41 on refuses to load it", fix}));
    }
    if (image.stack == Stack::missing && missing_header_means_executable(image.machine)) {
        verdict.findings.push_back(
            make_finding(rule::executable_stack, severity,
                         {"does not say that its stack need not be executable, and glibc from 2.41 on refuses to load "
                          "it",
                          fix}));
    }
}

std::vector<std::string> symbols_of(const std::vector<TextRelocation>& relocations) {
    std::vector<std::string> names;
    for (const TextRelocation& relocation : relocations) {
        if (!relocation.symbol.empty() && std::find(names.begin(), names.end(), relocation.symbol) == names.end()) {
            names.push_back(relocation.symbol);
        }
    }
    return names;
}

// With DT_TEXTREL both glibc and musl make the code writable, relocate it, and go on: it works, unless SELinux denies
// execmod or the kernel enforces W^X, so it is a warning. Without the mark the loader writes to memory that is not
// writable and the process dies: an error.
void check_text_relocations(Verdict& verdict, const Image& image) {
    if (image.format == Format::pe || (image.text_relocations.empty() && !image.claims_text_relocations)) {
        return;  // PE's base relocations are applied wherever they lie
    }
    const std::vector<std::string> symbols = symbols_of(image.text_relocations);
    const std::string where = symbols.empty() ? std::string() : fmt::format(" (addresses of {})", list_of(symbols));
    const std::string fix =
        "use `default rel`, and put tables of addresses into `section .data.rel.ro`; -z text makes "
        "the linker refuse";
    const std::string first = symbols.empty() ? std::string() : symbols.front();
    if (image.format == Format::elf && image.claims_text_relocations) {
        verdict.findings.push_back(make_finding(
            rule::text_relocations,
            {fmt::format("has relocations in its code{}, so the loader must make the code writable, which SELinux and "
                         "hardened kernels deny",
                         where),
             fix, first}));
        return;
    }
    verdict.findings.push_back(make_finding(
        rule::text_relocations, Severity::error,
        {fmt::format("has relocations in memory that is not writable{}: loading it ends the process", where), fix,
         first}));
}

void check_writable_code(Verdict& verdict, const Image& image) {
    std::vector<std::string> names;
    for (const MemoryRange& range : image.memory) {
        if (range.writable && range.executable) {
            names.push_back(range.name.empty() ? section_name(image, range.address) : range.name);
        }
    }
    if (names.empty()) {
        return;
    }
    std::erase_if(names, [](const std::string& name) { return name.empty(); });
    // Apple's arm64 machines refuse such memory outright.
    const bool is_refused = image.format == Format::macho && image.machine == Machine::arm64;
    verdict.findings.push_back(make_finding(
        rule::writable_code, is_refused ? Severity::error : Severity::warning,
        {fmt::format("has memory that is writable and executable at once{}{}",
                     names.empty() ? std::string() : fmt::format(" ({})", list_of(names)),
                     is_refused ? ", which macOS refuses on arm64" : ""),
         "keep code in `section .text` and data in `section .data`; write no `write` after `exec` in a section line"}));
}

}  // namespace

Verdict check_load(const Image& image, const Expectations& expected) {
    Verdict verdict;
    check_stack(verdict, image, expected);
    check_text_relocations(verdict, image);
    check_writable_code(verdict, image);
    return verdict;
}

}  // namespace nasm_build::inspect
