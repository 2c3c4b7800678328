// The file against the platform that it is built for, and against what its own name says.
#include <fmt/core.h>

#include <algorithm>

#include "inspect/rules/machines.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/slices.hpp"
#include "inspect/rules/words.hpp"
#include "inspect/tags/suffixes.hpp"

namespace nasm_build::inspect {

namespace {

constexpr const char* rebuild_fix =
    "build it for that platform: --target, or the plat_name of the wheel, must name the machine that the code is for";

std::string described_file(const Image& image) {
    if (image.pe.hybrid != Hybrid::none) {
        return fmt::format("{} for {}", name_of(image.format),
                           image.pe.hybrid == Hybrid::arm64x ? "ARM64X (arm64, and emulated x86-64)"
                                                             : "ARM64EC (arm64 code for emulated x86-64 processes)");
    }
    return fmt::format("{} for {}", name_of(image.format), name_of(image.machine));
}

std::string promised_names(const Expectations& expected) {
    std::vector<std::string> names;
    for (const toolchain::Target& target : expected.targets) {
        names.push_back(describe(target));
    }
    return list_of(names);
}

bool fits(const Image& image, const MachinePromise& promise) {
    // ARM64EC says x86-64 in its header, and runs on no x86-64; a Python for arm64 does not load it either.
    return promise.format == image.format && image.pe.hybrid != Hybrid::arm64ec &&
           (promise.machines.empty() ||
            std::find(promise.machines.begin(), promise.machines.end(), image.machine) != promise.machines.end());
}

// x32: the one platform whose machine's word does not give the size of a pointer.
bool has_small_pointers(const Image& image) {
    const bool is_64_bit_machine = image.machine == Machine::x86_64 || image.machine == Machine::arm64;
    return is_64_bit_machine && image.pointer_bits == 32;
}

void check_machine(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (expected.targets.empty()) {
        if (expected.format && *expected.format != image.format) {
            verdict.findings.push_back(
                make_finding(rule::wrong_platform, {fmt::format("is {}, but its name is that of a {} module",
                                                                described_file(image), name_of(*expected.format)),
                                                    "give it the suffix of the platform that it is built for"}));
        }
        return;
    }
    bool is_known = false;
    for (const toolchain::Target& target : expected.targets) {
        const std::optional<MachinePromise> promise = machine_promise(target);
        is_known |= promise.has_value();
        if (promise && fits(image, *promise)) {
            if (has_small_pointers(image)) {
                break;
            }
            return;
        }
    }
    // A fat file may hold slices beyond what is promised; check_slices says when a promised one is missing.
    if (!image.slice.empty() && image.format == Format::macho) {
        return;
    }
    if (!is_known) {
        verdict.not_checked.push_back(
            {std::string(rule::wrong_platform),
             fmt::format("nothing is known of the binaries of {}", promised_names(expected))});
        return;
    }
    verdict.findings.push_back(make_finding(
        rule::wrong_platform,
        {has_small_pointers(image)
             ? fmt::format("is {} with 32-bit pointers, but is for {}", described_file(image), promised_names(expected))
             : fmt::format("is {}, but is for {}", described_file(image), promised_names(expected)),
         rebuild_fix}));
}

// dyld loads into a process for macOS what is built for macOS (MachOFile::loadableIntoProcess); a library for several
// platforms says macOS here.
void check_apple_platform(Verdict& verdict, const Image& image, const Expectations& expected) {
    const bool is_for_macos = std::any_of(
        expected.targets.begin(), expected.targets.end(),
        [](const toolchain::Target& target) { return toolchain::parse_macos_platform(target.platform).has_value(); });
    if (!is_for_macos || image.format != Format::macho || image.platform.empty() || image.platform == "macos") {
        return;
    }
    verdict.findings.push_back(make_finding(
        rule::wrong_platform, {fmt::format("is built for {} {}, but is for {}", image.platform, image.minimum_system,
                                           promised_names(expected)),
                               "build it for macOS: clang -target arm64-apple-macos11 (or x86_64-apple-macos10.13), ld "
                               "-platform_version macos 11.0 11.0"}));
}

void check_kind(Verdict& verdict, const Image& image) {
    if (image.kind == FileKind::shared_library || image.kind == FileKind::bundle) {
        return;
    }
    if (image.kind == FileKind::debug_symbols) {
        verdict.not_applicable.push_back({std::string(rule::not_loadable), "the file holds debug symbols alone"});
        return;
    }
    // LoadLibraryExW's documentation: what is not marked as a DLL is loaded without its imports, as if by
    // DONT_RESOLVE_DLL_REFERENCES.
    if (image.format == Format::pe) {
        verdict.findings.push_back(make_finding(
            rule::not_loadable, {"is not marked as a DLL, so that Windows loads it without what it imports",
                                 "link it with /dll (gcc and clang: -shared)"}));
        return;
    }
    const char* const link = image.format == Format::elf ? "link it with -shared" : "link it with -bundle";
    const char* const what = image.elf.has_fixed_address ? "a program that is linked to a fixed address (ET_EXEC)"
                             : image.elf.is_position_independent_program ? "a position-independent program (DF_1_PIE)"
                             : image.kind == FileKind::executable        ? "a program"
                             : image.kind == FileKind::object            ? "an object that was not linked yet"
                                                                         : "not a library";
    verdict.findings.push_back(
        make_finding(rule::not_loadable, {fmt::format("is {}, which cannot be loaded as a module", what), link}));
}

void check_name(Verdict& verdict, const Expectations& expected) {
    for (const Conflict& conflict : expected.conflicts) {
        verdict.findings.push_back(
            make_finding(rule::file_name, {fmt::format("its file name says {}, but {} says {}, which does not import a "
                                                       "file of that name",
                                                       conflict.said, conflict.by, conflict.expected),
                                           "take the file's suffix and the tag from one place (nasm-ext toolchain "
                                           "prints both)"}));
    }
}

// A suffix that none of the CPythons that may be meant looks for, where nothing else is wrong with the name.
void check_suffix(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (!expected.is_extension_module || !expected.conflicts.empty() || !expected.other_implementation.empty() ||
        expected.suffix.empty()) {
        return;
    }
    const bool is_pe = image.format == Format::pe;
    const bool is_abi3_of_windows = is_pe && expected.suffix.starts_with(".abi3");
    bool is_looked_for = expected.targets.empty() || expected.pythons.empty();
    for (const toolchain::Target& target : expected.targets) {
        const std::optional<MachinePromise> promise = machine_promise(target);
        is_looked_for |= !promise || promise->format != image.format;  // wrong-platform says it
        for (const toolchain::PythonBuild& build : expected.pythons) {
            for (const toolchain::PythonBuild& python : promised_builds(build)) {
                is_looked_for |= looks_for(target, python, expected.suffix);
            }
        }
    }
    if (is_looked_for && !is_abi3_of_windows) {
        return;
    }
    const std::string who = is_abi3_of_windows ? "no CPython for Windows looks" : audience(expected) + " does not look";
    const std::string named = expected.python && !expected.targets.empty()
                                  ? module_suffix(expected.targets.front(), *expected.python)
                                  : std::string(is_pe ? ".pyd" : ".so");
    verdict.findings.push_back(
        make_finding(rule::file_name, {fmt::format("its file name ends in {}, which {} for", expected.suffix, who),
                                       fmt::format("end it in {}", named)}));
}

}  // namespace

Verdict check_platform(const Image& image, const Expectations& expected) {
    Verdict verdict;
    check_machine(verdict, image, expected);
    check_apple_platform(verdict, image, expected);
    check_kind(verdict, image);
    check_name(verdict, expected);
    check_suffix(verdict, image, expected);
    return verdict;
}

Verdict check_slices(std::span<const Image> slices, const Expectations& expected) {
    Verdict verdict;
    if (slices.empty() || slices.front().format != Format::macho) {
        return verdict;
    }
    for (const toolchain::Target& target : expected.targets) {
        const std::optional<MachinePromise> promise = machine_promise(target);
        if (!promise || promise->format != Format::macho) {
            continue;
        }
        for (const Machine machine : promise->machines) {
            const bool is_there =
                std::any_of(slices.begin(), slices.end(), [&](const Image& slice) { return slice.machine == machine; });
            // One file for one machine is wrong_platform's to say.
            const bool is_said = slices.size() == 1 && promise->machines.size() == 1;
            if (!is_there && !is_said) {
                verdict.findings.push_back(make_finding(
                    rule::missing_slice,
                    {fmt::format("has no code for {}, which {} promises", name_of(machine), describe(target)),
                     fmt::format("join the files of both machines (lipo -create), or promise the machine that it is "
                                 "for: {}",
                                 name_of(slices.front().machine))}));
            }
        }
    }
    compare_slices(verdict, slices);
    return verdict;
}

}  // namespace nasm_build::inspect
