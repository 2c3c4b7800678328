// Protections that an ELF file has to ask for, or to declare itself fit for: one note lists what it does without.
#include <fmt/core.h>

#include "inspect/rules/c_library.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

struct Missing {
    std::vector<std::string> names;
    std::string link;
    bool shadow_stack = false;

    void add(const char* name, const char* words) {
        names.emplace_back(name);
        link += link.empty() ? words : fmt::format(" {}", words);
    }
};

Missing missing_of(const Image& image, const Expectations& expected) {
    const ElfFacts& elf = image.elf;
    Missing missing;
    if (!elf.has_read_only_relocations) {
        missing.add("RELRO", "-z relro");
    }
    if (elf.has_late_bindings && !elf.binds_at_load) {
        missing.add("BIND_NOW", "-z now");
    }
    // glibc alone has shadow stacks, and on x86-64 alone (sysdeps/x86_64/dl-cet.c).
    if (image.machine == Machine::x86_64 && may_meet_glibc(expected) && !elf.properties.x86_shadow_stack) {
        missing.shadow_stack = true;
        missing.add("the mark for shadow stacks (SHSTK)", "-z shstk");
    }
    return missing;
}

}  // namespace

Verdict check_elf_hardening(const Image& image, const Expectations& expected) {
    Verdict verdict;
    const bool is_loaded = image.kind == FileKind::shared_library && !image.elf.loads.empty();
    if (image.format != Format::elf || !is_loaded) {
        return verdict;
    }
    const Missing missing = missing_of(image, expected);
    if (missing.names.empty()) {
        return verdict;
    }
    verdict.findings.push_back(make_finding(
        rule::missing_mitigations,
        {fmt::format("does without {}", list_of(missing.names)),
         fmt::format("link with {}{}", missing.link,
                     missing.shadow_stack ? " (-z shstk only where each function returns by `ret`)" : "")}));
    return verdict;
}

}  // namespace nasm_build::inspect
