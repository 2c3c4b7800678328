// What dyld and macOS' kernel refuse: a system that is too old, fixups that it cannot read, signatures that do not fit.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "inspect/rules/machines.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/systems.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

constexpr SystemVersion first_big_sur{11, 0};

/// The lowest macOS that the tags promise for this slice's machine, and the machine's word in that tag.
struct Promise {
    SystemVersion version;
    std::string architecture;
};

std::optional<Promise> lowest_promise(const Image& image, const Expectations& expected) {
    std::optional<Promise> lowest;
    for (const toolchain::Target& target : expected.targets) {
        const auto platform = toolchain::parse_macos_platform(target.platform);
        const std::optional<MachinePromise> machines = machine_promise(target);
        if (!platform || platform->major == 0 || !machines || machines->format != Format::macho) {
            continue;
        }
        const auto& all = machines->machines;
        if (!all.empty() && std::find(all.begin(), all.end(), image.machine) == all.end()) {
            continue;
        }
        const SystemVersion version = at_least_first_of(image.machine, {platform->major, platform->minor});
        if (!lowest || version < lowest->version) {
            lowest = Promise{version, platform->architecture};
        }
    }
    return lowest;
}

// From macOS 11 on installers know majors alone: packaging's mac_platforms gives `macosx_11_0` for every 11.x, and what is
// built for 11.3 has that tag too. No tag knows the third number.
SystemVersion as_tags_have_it(SystemVersion version) {
    return version.major >= first_big_sur.major ? SystemVersion{version.major, 0}
                                                : SystemVersion{version.major, version.minor};
}

void check_minimum(Verdict& verdict, const Image& image, const Expectations& expected) {
    const auto skip = [&](const char* reason) {
        verdict.not_applicable.push_back({std::string(rule::minimum_system), reason});
    };
    const std::optional<SystemVersion> needed = parse_system_version(image.minimum_system);
    const std::optional<Promise> promised = lowest_promise(image, expected);
    if (!promised) {
        return skip("no tag promises a version of macOS");
    }
    if (!needed || image.platform != "macos") {
        return skip("the file names no version of macOS");
    }
    const SystemVersion tag = as_tags_have_it(*needed);
    if (tag <= promised->version) {
        return;
    }
    verdict.findings.push_back(
        make_finding(rule::minimum_system,
                     {fmt::format("says that it needs macOS {}, but its tag promises macOS {}", image.minimum_system,
                                  to_string(promised->version)),
                      fmt::format("build it with MACOSX_DEPLOYMENT_TARGET={}, or take the tag "
                                  "macosx_{}_{}_{}",
                                  to_string(promised->version), tag.major, tag.minor, promised->architecture)}));
}

// dyld guesses 10.5 for x86-64 and 11.0 for arm64 where a file names no platform (MachOFile::forEachSupportedPlatform), and
// with it what it may refuse and what it must emulate.
void check_build_version(Verdict& verdict, const Image& image) {
    if (!image.platform.empty()) {
        return;
    }
    verdict.findings.push_back(
        make_finding(rule::no_build_version,
                     {fmt::format("does not say which system it is for, so that dyld takes it for one of macOS {}",
                                  image.machine == Machine::arm64 ? "11.0" : "10.5"),
                      "give the linker -platform_version macos 11.0 11.0 (clang: -mmacosx-version-min=11.0)"}));
}

// LC_DYLD_CHAINED_FIXUPS has LC_REQ_DYLD in its number: a dyld that does not know it refuses the file ("load command
// 0x80000034 is unknown"). It came with macOS 10.15; Xcode 13.3's release notes promise it from 11 on.
void check_chained_fixups(Verdict& verdict, const Image& image, const Expectations& expected) {
    constexpr SystemVersion first_that_knows{10, 15};
    std::optional<SystemVersion> lowest = parse_system_version(image.minimum_system);
    const std::optional<Promise> promised = lowest_promise(image, expected);
    if (promised && (!lowest || promised->version < *lowest)) {
        lowest = promised->version;
    }
    if (!image.macho.chained_fixups || image.platform != "macos" || !lowest) {
        return;
    }
    const SystemVersion runs_on = at_least_first_of(image.machine, *lowest);
    if (runs_on >= first_big_sur) {
        return;
    }
    const bool is_refused = runs_on < first_that_knows;
    verdict.findings.push_back(make_finding(
        rule::chained_fixups, is_refused ? Severity::error : Severity::warning,
        {is_refused
             ? fmt::format("has chained fixups and is for macOS {}: dyld before 10.15 refuses them", to_string(runs_on))
             : fmt::format("has chained fixups and is for macOS {}: they are promised to work from 11.0 on",
                           to_string(runs_on)),
         "link it with -no_fixup_chains, or for macOS 11.0 and later (MACOSX_DEPLOYMENT_TARGET=11.0)"}));
}

// On Apple silicon the kernel maps no code without a valid signature, and checks a page when it is first touched. Elsewhere
// a bad signature counts only for programs that ask for it (the hardened runtime, library validation).
void check_signature(Verdict& verdict, const Image& image) {
    const CodeSignature& signature = image.macho.signature;
    const bool must_be_signed =
        image.machine == Machine::arm64 && (image.platform.empty() || image.platform == "macos");
    const Severity severity = must_be_signed ? Severity::error : Severity::warning;
    const std::string fix = "sign it when nothing changes it any more: codesign --force --sign - FILE";
    if (signature.state == SignatureState::absent) {
        if (must_be_signed) {
            verdict.findings.push_back(make_finding(
                rule::code_signature, {"is not signed, and macOS loads no arm64 code without a signature", fix}));
        }
        return;
    }
    const char* const then =
        must_be_signed ? "macOS ends the process that loads it" : "a program with the hardened runtime refuses it";
    if (signature.state == SignatureState::damaged) {
        verdict.findings.push_back(
            make_finding(rule::code_signature, severity,
                         {fmt::format("has a damaged signature ({}): {}", signature.damage, then), fix}));
        return;
    }
    if (!signature.unread_hash.empty()) {
        verdict.not_checked.push_back(
            {std::string(rule::code_signature), fmt::format("its signature has hashes by {}", signature.unread_hash)});
        return;
    }
    if (signature.stale_pages != 0) {
        verdict.findings.push_back(make_finding(
            rule::code_signature, severity,
            {fmt::format("was changed after it was signed ({} of {} pages differ, the first at byte 0x{:x}): {}",
                         signature.stale_pages, signature.pages, signature.first_stale, then),
             fix}));
    }
}

}  // namespace

Verdict check_macho_loading(const Image& image, const Expectations& expected) {
    Verdict verdict;
    const bool is_linked = image.kind == FileKind::shared_library || image.kind == FileKind::bundle;
    if (image.format != Format::macho) {
        return verdict;
    }
    if (image.slice.empty()) {
        verdict.not_applicable.push_back({std::string(rule::slices_differ), "the file has one slice"});
    }
    if (!is_linked) {
        for (const std::string_view id :
             {rule::minimum_system, rule::no_build_version, rule::chained_fixups, rule::code_signature}) {
            verdict.not_applicable.push_back({std::string(id), "the file is not a library or a bundle"});
        }
        return verdict;
    }
    check_minimum(verdict, image, expected);
    check_build_version(verdict, image);
    check_chained_fixups(verdict, image, expected);
    check_signature(verdict, image);
    return verdict;
}

}  // namespace nasm_build::inspect
