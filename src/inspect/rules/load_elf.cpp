// What the loaders of Linux refuse in an ELF file that is opened while the process runs, as CPython opens a module.
//
// Each rule names the check in glibc's or musl's own source that it is about; versions are the first with the check.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>

#include "inspect/rules/c_library.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

// elf/dl-tls.c: what is kept of the static block for libraries that are loaded later (the historic value, which newer
// versions keep as the sum), and the part of it that is meant for a compiler's run-time libraries (OTHER_IE_TLS, 2.32).
constexpr std::uint64_t static_block_surplus = 1664;
constexpr std::uint64_t static_block_share = 144;
// TLS_TCB_ALIGN: the block of a process whose program asks for nothing higher.
constexpr std::uint64_t static_block_alignment = 64;

void check_static_storage_for_glibc(Verdict& verdict, const ThreadStorage& storage) {
    const std::string fix =
        "compile with -ftls-model=global-dynamic; assembly can keep the data in the module's state instead";
    if (storage.alignment > static_block_alignment) {
        verdict.findings.push_back(make_finding(
            rule::static_tls, Severity::error,
            {fmt::format("has thread-local data at fixed distances that is aligned to {} bytes, and glibc aligns its "
                         "static block to {}: it cannot allocate memory in it",
                         storage.alignment, static_block_alignment),
             fix}));
    } else if (storage.size > static_block_surplus + static_block_alignment) {  // the block is rounded up
        verdict.findings.push_back(make_finding(
            rule::static_tls, Severity::error,
            {fmt::format("has {} bytes of thread-local data at fixed distances, and glibc keeps {} in its static block "
                         "for all libraries that are loaded later: it cannot allocate memory in it",
                         storage.size, static_block_surplus),
             fix}));
    } else if (storage.size > static_block_share) {
        verdict.findings.push_back(make_finding(
            rule::static_tls,
            {fmt::format(
                 "has {} bytes of thread-local data at fixed distances, of the {} that glibc keeps in its static "
                 "block for all libraries that are loaded later: loading fails when others were first",
                 storage.size, static_block_surplus),
             fix}));
    }
}

// glibc: CHECK_STATIC_TLS in dl_relocate_object. musl: do_relocs refuses what lies in no static block, of any size.
void check_static_storage(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (!image.elf.thread_storage || !image.elf.places_own_storage_statically) {
        return;
    }
    if (may_meet_musl(expected)) {
        verdict.findings.push_back(make_finding(
            rule::static_tls, Severity::error,
            {"has thread-local data at fixed distances (initial-exec), which musl refuses in whatever is loaded after the "
             "process has started",
             "compile with -ftls-model=global-dynamic; assembly can keep the data in the module's state instead"}));
        return;
    }
    check_static_storage_for_glibc(verdict, *image.elf.thread_storage);
}

// elf/dl-load.c: "shared object cannot be dlopen()ed". musl takes no notice.
void check_dlopen(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (image.elf.refuses_dlopen) {
        verdict.findings.push_back(make_finding(
            rule::no_dlopen, severity_by_library(expected, Severity::error),
            {"is marked as not to be opened while a process runs (DF_1_NOOPEN), which is how CPython loads a "
             "module: glibc refuses",
             "link without -z nodlopen"}));
    }
}

struct OsAbi {
    unsigned number;
    std::string_view name;
};

constexpr auto os_abis = std::to_array<OsAbi>(
    {{1, "HP-UX"}, {2, "NetBSD"}, {6, "Solaris"}, {7, "AIX"}, {9, "FreeBSD"}, {12, "OpenBSD"}, {97, "ARM"}});

// VALID_ELF_OSABI in sysdeps/gnu/ldsodefs.h and sysdeps/unix/sysv/linux/arm/ldsodefs.h. musl takes no notice.
bool is_of_linux(unsigned os_abi, Machine machine) {
    constexpr unsigned system_v = 0, gnu = 3, arm_eabi = 64;
    return os_abi == system_v || os_abi == gnu || (os_abi == arm_eabi && machine == Machine::arm);
}

void check_os_abi(Verdict& verdict, const Image& image, const Expectations& expected) {
    const unsigned number = image.elf.os_abi;
    if (is_of_linux(number, image.machine)) {
        return;
    }
    const auto* const known =
        std::find_if(os_abis.begin(), os_abis.end(), [number](const OsAbi& one) { return one.number == number; });
    const std::string name =
        known == os_abis.end() ? fmt::format("system number {}", number) : fmt::format("{}", known->name);
    verdict.findings.push_back(make_finding(
        rule::foreign_osabi, severity_by_library(expected, Severity::error),
        {fmt::format("says that it is for {} (EI_OSABI {}), and glibc on Linux refuses to load it", name, number),
         "link with the tools for Linux; where only the mark is wrong: elfedit --output-osabi=none"}));
}

// sysdeps/x86/dl-prop.h, glibc 2.33: "CPU ISA level is lower than required". musl takes no notice.
void check_isa_needed(Verdict& verdict, const Image& image, const Expectations& expected) {
    const std::string id(rule::isa_needed);
    if (image.machine != Machine::x86_64 && image.machine != Machine::x86) {
        verdict.not_applicable.push_back({id, "only x86 has such levels"});
        return;
    }
    if (!may_meet_glibc(expected)) {
        verdict.not_applicable.push_back({id, "musl takes no notice of the mark"});
        return;
    }
    constexpr std::uint32_t baseline = 1, highest_known = 8;
    const std::uint32_t needed = image.elf.properties.x86_isa_needed;
    const std::uint32_t level = std::bit_floor(needed);
    if (level <= baseline) {
        return;
    }
    const std::string fix =
        "link without -z x86-64-vN (compile without -mneeded), and choose the faster code at run time, "
        "by cpuid";
    if (level > highest_known) {
        verdict.findings.push_back(make_finding(
            rule::isa_needed, Severity::error,
            {fmt::format(
                 "is marked as needing a level of x86-64 that glibc does not know (0x{:x}), and is refused on every "
                 "machine",
                 needed),
             fix}));
        return;
    }
    // A tag for other machines promises every x86-64; there are hardly any left below v2, and many below v3.
    const bool is_error = expected.promised_elsewhere && level > 2;
    verdict.findings.push_back(make_finding(
        rule::isa_needed, is_error ? Severity::error : Severity::warning,
        {fmt::format("is marked as needing x86-64-v{}, and glibc from 2.33 on refuses to load it on any other x86-64 "
                     "machine",
                     std::countr_zero(level) + 1),
         fix}));
}

// musl's do_relocs: "unsupported relocation type"; find_sym passes over symbols of the type STT_GNU_IFUNC.
void check_indirect_functions(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (!may_meet_musl(expected)) {
        verdict.not_applicable.push_back({std::string(rule::ifunc_on_musl), "nothing says that it runs on musl"});
        return;
    }
    const std::string fix =
        "choose the function at import and keep its address, instead of by ifunc (gcc's target_clones "
        "uses ifunc too)";
    if (const std::uint64_t count = image.elf.indirect_relocations; count != 0) {
        verdict.findings.push_back(make_finding(
            rule::ifunc_on_musl,
            {fmt::format("chooses {} by ifunc (IRELATIVE), a relocation that musl does not know and refuses",
                         count == 1 ? "a function" : fmt::format("{} functions", count)),
             fix}));
        return;
    }
    if (!image.elf.indirect_symbol.empty()) {
        verdict.findings.push_back(make_finding(
            rule::ifunc_on_musl, {fmt::format("chooses {} by ifunc and refers to it by name, and musl finds such a "
                                              "symbol by no name",
                                              image.elf.indirect_symbol),
                                  fix, image.elf.indirect_symbol}));
        return;
    }
    for (const Export& one : image.exports) {
        if (one.kind == SymbolKind::indirect_function) {
            verdict.findings.push_back(make_finding(
                rule::ifunc_on_musl, Severity::warning,
                {fmt::format("exports {} as an ifunc, which musl finds by no name", one.name), fix, one.name}));
            return;
        }
    }
}

constexpr const char* unpacked_fix = "link without -z pack-relative-relocs (--pack-dyn-relocs=relr)";

bool needs_glibc_itself(const Image& image) {
    return std::any_of(image.libraries.begin(), image.libraries.end(),
                       [](const Library& one) { return one.name.starts_with("libc.so."); });
}

// glibc knows DT_RELR from 2.36 on. The version GLIBC_ABI_DT_RELR makes an older one refuse, instead of passing over the
// addresses; and from 2.36 on a file that needs libc's versions must have it (elf/dl-version.c).
void check_packed_for_glibc(Verdict& verdict, const Image& image, const Expectations& expected) {
    const ElfFacts& elf = image.elf;
    if (!elf.needs_packed_relocations_mark && elf.needs_symbol_versions && needs_glibc_itself(image)) {
        verdict.findings.push_back(make_finding(
            rule::packed_relocations,
            {"has packed relocations (DT_RELR) without needing the version GLIBC_ABI_DT_RELR, and glibc from 2.36 on refuses "
             "to load it",
             "link with -z pack-relative-relocs, which adds the version, or without packing"}));
        return;
    }
    const auto oldest = oldest_glibc(expected);
    const bool is_promised = oldest && oldest->major == 2 && oldest->minor < 36;
    if (is_promised && elf.needs_packed_relocations_mark) {
        verdict.findings.push_back(make_finding(
            rule::packed_relocations,
            {fmt::format("has packed relocations (DT_RELR), for which glibc must be 2.36, and {} promises {}.{}",
                         oldest->tag, oldest->major, oldest->minor),
             unpacked_fix}));
    } else if (is_promised) {
        verdict.findings.push_back(make_finding(
            rule::packed_relocations,
            {fmt::format(
                 "has packed relocations (DT_RELR), which glibc before 2.36 passes over, and {} promises {}.{}: the "
                 "first use of an address ends the process",
                 oldest->tag, oldest->major, oldest->minor),
             unpacked_fix}));
    } else if (!oldest && !elf.needs_packed_relocations_mark) {
        verdict.findings.push_back(make_finding(
            rule::packed_relocations, Severity::warning,
            {"has packed relocations (DT_RELR) and no mark of it: glibc before 2.36 passes over them, and the first use of an "
             "address ends the process",
             unpacked_fix}));
    }
}

// musl knows DT_RELR from 1.2.4 on, and passes over it before (WHATSNEW).
void check_packed_for_musl(Verdict& verdict, const Expectations& expected) {
    const auto oldest = oldest_musl(expected);
    if (!oldest) {
        verdict.findings.push_back(make_finding(
            rule::packed_relocations, Severity::warning,
            {"has packed relocations (DT_RELR), which musl before 1.2.4 passes over: the first use of an address ends the "
             "process",
             unpacked_fix}));
    } else if (oldest->major == 1 && oldest->minor <= 2) {
        // A tag has no third number: musllinux_1_2 promises 1.2.0, but hardly any machine has one below 1.2.4 (2023) left.
        verdict.findings.push_back(make_finding(
            rule::packed_relocations, oldest->minor < 2 ? Severity::error : Severity::warning,
            {fmt::format(
                 "has packed relocations (DT_RELR), which musl before 1.2.4 passes over, and {} promises {}.{}: the "
                 "first use of an address ends the process",
                 oldest->tag, oldest->major, oldest->minor),
             unpacked_fix}));
    }
}

void check_packed_relocations(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (!image.elf.has_packed_relocations) {
        return;
    }
    if (may_meet_glibc(expected)) {
        check_packed_for_glibc(verdict, image, expected);
    }
    if (may_meet_musl(expected)) {
        check_packed_for_musl(verdict, expected);
    }
}

// The largest pages that a machine's kernels are built for: arm64 and ppc64le have distributions with 64K pages, and
// LoongArch's kernels have 16K by default.
std::uint64_t largest_page(Machine machine) {
    switch (machine) {
        case Machine::arm64:
        case Machine::ppc64:
        case Machine::ppc64le:
            return 65536;
        case Machine::loongarch64:
            return 16384;
        default:
            return 4096;
    }
}

// elf/dl-load.c: "ELF load command address/offset not page-aligned"; before 2.35 "… alignment not page-aligned" as well. What
// musl maps from such a file is in the wrong place.
void check_pages(Verdict& verdict, const Image& image) {
    constexpr std::uint64_t smallest_page = 4096;
    const std::uint64_t largest = largest_page(image.machine);
    const std::string fix =
        fmt::format("link with -z max-page-size={}, and strip or change the file with tools that keep it", largest);
    std::uint64_t smallest_alignment = largest;
    bool fits_largest = true;
    for (const LoadSegment& segment : image.elf.loads) {
        if ((segment.address - segment.file_offset) % smallest_page != 0) {
            verdict.findings.push_back(make_finding(
                rule::page_alignment, Severity::error,
                {fmt::format(
                     "has a segment at address 0x{:x} that lies at byte 0x{:x} of the file: the two are at different "
                     "places of a page, so that it cannot be mapped",
                     segment.address, segment.file_offset),
                 fix}));
            return;
        }
        smallest_alignment = std::min(smallest_alignment, segment.alignment);
        fits_largest = fits_largest && (segment.address - segment.file_offset) % largest == 0;
    }
    if (smallest_alignment >= largest && fits_largest) {
        return;
    }
    const std::string refused = largest == smallest_page
                                    ? std::string("glibc before 2.35 refuses to load it")
                                    : fmt::format("machines with pages of {} bytes refuse to load it", largest);
    verdict.findings.push_back(
        make_finding(rule::page_alignment,
                     {smallest_alignment < largest
                          ? fmt::format("has segments that are aligned to {} bytes: {}", smallest_alignment, refused)
                          : fmt::format("has segments that do not lie as they are aligned: {}", refused),
                      fix}));
}

}  // namespace

Verdict check_elf_loading(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (image.format != Format::elf || image.kind == FileKind::object) {
        return verdict;
    }
    if (!may_meet_glibc(expected) && !may_meet_musl(expected)) {
        for (const std::string_view id : {rule::static_tls, rule::no_dlopen, rule::foreign_osabi, rule::isa_needed,
                                          rule::ifunc_on_musl, rule::packed_relocations, rule::page_alignment}) {
            verdict.not_applicable.push_back(
                {std::string(id), fmt::format("{} has another loader than Linux", expected.targets.front().name)});
        }
        return verdict;
    }
    check_static_storage(verdict, image, expected);
    check_dlopen(verdict, image, expected);
    check_os_abi(verdict, image, expected);
    check_isa_needed(verdict, image, expected);
    check_indirect_functions(verdict, image, expected);
    check_packed_relocations(verdict, image, expected);
    check_pages(verdict, image);
    return verdict;
}

}  // namespace nasm_build::inspect
