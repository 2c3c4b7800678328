// What Linux' loaders refuse, fact by fact; tests/python/test_check_loaders.py asks the loaders themselves.
#include <gtest/gtest.h>

#include "images.hpp"
#include "inspect/rules/c_library.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* storage_fix =
    "fix: compile with -ftls-model=global-dynamic; assembly can keep the data in the module's state instead";
constexpr const char* unpacked_fix = "fix: link without -z pack-relative-relocs (--pack-dyn-relocs=relr)";

const Expectations anyone = for_python("3.13");
const Expectations musl = for_tag("musllinux_1_2_x86_64");

Image with_storage(std::uint64_t size, std::uint64_t alignment = 8) {
    Image image = module_of(Format::elf);
    image.elf.thread_storage = ThreadStorage{size, alignment};
    image.elf.places_own_storage_statically = true;
    return image;
}

Lines check(const Image& image, const Expectations& expected = anyone) {
    return lines(check_elf_loading(image, expected));
}

std::vector<std::string> not_applicable(const Image& image, const Expectations& expected) {
    std::vector<std::string> all;
    for (const NotApplicable& one : check_elf_loading(image, expected).not_applicable) {
        all.push_back(one.rule + ": " + one.reason);
    }
    return all;
}

TEST(LoadElf, NothingToSay) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(check(module_of(format)), Lines{});
    }
    EXPECT_EQ(check(module_of(Format::elf), musl), Lines{});
    EXPECT_EQ(check(module_of(Format::elf), for_tag("manylinux2014_x86_64")), Lines{});
}

TEST(LoadElf, ARuleThatHasNothingToSayOfTheFileSaysSo) {
    EXPECT_EQ(not_applicable(module_of(Format::elf), anyone),
              (Lines{"ifunc-on-musl: nothing says that it runs on musl"}));
    EXPECT_EQ(not_applicable(module_of(Format::elf), musl), (Lines{"isa-needed: musl takes no notice of the mark"}));
    Image arm64 = module_of(Format::elf);
    arm64.machine = Machine::arm64;
    EXPECT_EQ(not_applicable(arm64, musl), (Lines{"isa-needed: only x86 has such levels"}));
    const Lines all = not_applicable(with_storage(4000), for_target("freebsd-14.1-release-amd64"));
    ASSERT_EQ(all.size(), 7U);
    EXPECT_EQ(all.front(), "static-tls: freebsd-14.1-release-amd64 has another loader than Linux");
    EXPECT_EQ(check(with_storage(4000), for_target("freebsd-14.1-release-amd64")), Lines{});
}

TEST(LoadElf, MuchThreadLocalDataAtFixedDistances) {
    EXPECT_EQ(check(with_storage(144)), Lines{});
    EXPECT_EQ(
        check(with_storage(145)),
        (Lines{"warning: has 145 bytes of thread-local data at fixed distances, of the 1664 that glibc keeps in its "
               "static block for all libraries that are loaded later: loading fails when others were first "
               "[static-tls]",
               storage_fix}));
    EXPECT_EQ(check(with_storage(1728)).front().substr(0, 8), "warning:");
    EXPECT_EQ(
        check(with_storage(1729)),
        (Lines{
            "error: has 1729 bytes of thread-local data at fixed distances, and glibc keeps 1664 in its static block "
            "for all libraries that are loaded later: it cannot allocate memory in it [static-tls]",
            storage_fix}));
    EXPECT_EQ(check(with_storage(8, 64)), Lines{});
    EXPECT_EQ(
        check(with_storage(8, 128)),
        (Lines{"error: has thread-local data at fixed distances that is aligned to 128 bytes, and glibc aligns its "
               "static block to 64: it cannot allocate memory in it [static-tls]",
               storage_fix}));
}

TEST(LoadElf, ThreadLocalDataThatIsFoundAtRunTimeHasRoom) {
    Image image = with_storage(1U << 20U);
    image.elf.places_own_storage_statically = false;
    EXPECT_EQ(check(image), Lines{});
    // The flag alone is also that of a file that reads `errno` so.
    image.elf.claims_static_thread_storage = true;
    EXPECT_EQ(check(image), Lines{});
    image.elf.thread_storage.reset();
    image.elf.places_own_storage_statically = true;
    EXPECT_EQ(check(image), Lines{});
}

TEST(LoadElf, MuslHasNoRoomForThreadLocalDataAtFixedDistances) {
    EXPECT_EQ(
        check(with_storage(4), musl),
        (Lines{
            "error: has thread-local data at fixed distances (initial-exec), which musl refuses in whatever is loaded "
            "after the process has started [static-tls]",
            storage_fix}));
}

TEST(LoadElf, NotToBeOpened) {
    Image image = module_of(Format::elf);
    image.elf.refuses_dlopen = true;
    EXPECT_EQ(
        check(image),
        (Lines{"error: is marked as not to be opened while a process runs (DF_1_NOOPEN), which is how CPython loads a "
               "module: glibc refuses [no-dlopen]",
               "fix: link without -z nodlopen"}));
    EXPECT_EQ(check(image, musl).front().substr(0, 8), "warning:");
    EXPECT_EQ(check(image, for_tag("manylinux_2_28_x86_64.musllinux_1_2_x86_64")).front().substr(0, 6), "error:");
}

TEST(LoadElf, AnotherSystem) {
    Image image = module_of(Format::elf);
    image.elf.os_abi = 3;
    EXPECT_EQ(check(image), Lines{});
    image.elf.os_abi = 9;
    EXPECT_EQ(
        check(image),
        (Lines{"error: says that it is for FreeBSD (EI_OSABI 9), and glibc on Linux refuses to load it [foreign-osabi]",
               "fix: link with the tools for Linux; where only the mark is wrong: elfedit --output-osabi=none"}));
    EXPECT_EQ(check(image, musl).front().substr(0, 8), "warning:");
    image.elf.os_abi = 200;
    EXPECT_EQ(check(image).front(),
              "error: says that it is for system number 200 (EI_OSABI 200), and glibc on Linux refuses to load it "
              "[foreign-osabi]");
    image.elf.os_abi = 64;
    EXPECT_EQ(check(image).size(), 2U);
    image.machine = Machine::arm;
    EXPECT_EQ(check(image), Lines{});
}

TEST(LoadElf, ALevelOfX86ThatNotEveryMachineHas) {
    const std::string fix =
        "fix: link without -z x86-64-vN (compile without -mneeded), and choose the faster code at run time, by cpuid";
    Image image = module_of(Format::elf);
    image.elf.properties.x86_isa_needed = 1;
    EXPECT_EQ(check(image), Lines{});
    image.elf.properties.x86_isa_needed = 7;
    EXPECT_EQ(check(image),
              (Lines{"warning: is marked as needing x86-64-v3, and glibc from 2.33 on refuses to load it on any "
                     "other x86-64 machine [isa-needed]",
                     fix}));
    EXPECT_EQ(check(image, for_tag("linux_x86_64")).front().substr(0, 8), "warning:");
    EXPECT_EQ(check(image, for_tag("manylinux_2_34_x86_64")).front().substr(0, 6), "error:");
    EXPECT_EQ(check(image, musl), Lines{});
    image.elf.properties.x86_isa_needed = 3;
    EXPECT_EQ(
        check(image, for_tag("manylinux_2_34_x86_64")).front(),
        "warning: is marked as needing x86-64-v2, and glibc from 2.33 on refuses to load it on any other x86-64 machine "
        "[isa-needed]");
    image.elf.properties.x86_isa_needed = 0x10;
    EXPECT_EQ(check(image),
              (Lines{"error: is marked as needing a level of x86-64 that glibc does not know (0x10), and is "
                     "refused on every machine [isa-needed]",
                     fix}));
}

TEST(LoadElf, IndirectFunctionsOnMusl) {
    const std::string fix =
        "fix: choose the function at import and keep its address, instead of by ifunc (gcc's target_clones uses ifunc too)";
    Image image = module_of(Format::elf);
    Export fast = exported("fast");
    fast.kind = SymbolKind::indirect_function;
    image.exports.push_back(fast);
    EXPECT_EQ(check(image), Lines{});
    EXPECT_EQ(check(image, musl),
              (Lines{"warning: exports fast as an ifunc, which musl finds by no name [ifunc-on-musl]", fix}));
    image.elf.indirect_symbol = "fast";
    EXPECT_EQ(check(image, musl),
              (Lines{"error: chooses fast by ifunc and refers to it by name, and musl finds such a symbol by "
                     "no name [ifunc-on-musl]",
                     fix}));
    image.elf.indirect_relocations = 1;
    EXPECT_EQ(check(image), Lines{});
    EXPECT_EQ(check(image, musl),
              (Lines{"error: chooses a function by ifunc (IRELATIVE), a relocation that musl does not know "
                     "and refuses [ifunc-on-musl]",
                     fix}));
    image.elf.indirect_relocations = 3;
    EXPECT_EQ(check(image, musl).front(),
              "error: chooses 3 functions by ifunc (IRELATIVE), a relocation that musl does not know and refuses "
              "[ifunc-on-musl]");
}

TEST(LoadElf, PackedRelocationsAndGlibc) {
    Image image = module_of(Format::elf);
    image.elf.has_packed_relocations = true;
    EXPECT_EQ(check(image),
              (Lines{"warning: has packed relocations (DT_RELR) and no mark of it: glibc before 2.36 passes over "
                     "them, and the first use of an address ends the process [packed-relocations]",
                     unpacked_fix}));
    EXPECT_EQ(check(image, for_tag("manylinux_2_36_x86_64")), Lines{});
    EXPECT_EQ(
        check(image, for_tag("manylinux_2_36_x86_64.manylinux2014_x86_64")),
        (Lines{"error: has packed relocations (DT_RELR), which glibc before 2.36 passes over, and manylinux2014_x86_64 "
               "promises 2.17: the first use of an address ends the process [packed-relocations]",
               unpacked_fix}));
    image.elf.needs_packed_relocations_mark = true;
    EXPECT_EQ(check(image), Lines{});
    EXPECT_EQ(
        check(image, for_tag("manylinux_2_35_x86_64")),
        (Lines{
            "error: has packed relocations (DT_RELR), for which glibc must be 2.36, and manylinux_2_35_x86_64 promises "
            "2.35 [packed-relocations]",
            unpacked_fix}));
}

TEST(LoadElf, PackedRelocationsWithoutTheVersionThatGlibcAsksFor) {
    Image image = module_of(Format::elf);
    image.elf.has_packed_relocations = true;
    image.elf.needs_symbol_versions = true;
    image.libraries = {library("libc.so.6")};
    const Lines refused = {
        "error: has packed relocations (DT_RELR) without needing the version GLIBC_ABI_DT_RELR, and glibc "
        "from 2.36 on refuses to load it [packed-relocations]",
        "fix: link with -z pack-relative-relocs, which adds the version, or without packing"};
    EXPECT_EQ(check(image), refused);
    EXPECT_EQ(check(image, for_tag("manylinux_2_36_x86_64")), refused);
    image.libraries = {library("libm.so.6")};
    EXPECT_EQ(check(image, for_tag("manylinux_2_36_x86_64")), Lines{});
}

TEST(LoadElf, PackedRelocationsAndMusl) {
    Image image = module_of(Format::elf);
    image.elf.has_packed_relocations = true;
    EXPECT_EQ(
        check(image, musl),
        (Lines{
            "warning: has packed relocations (DT_RELR), which musl before 1.2.4 passes over, and musllinux_1_2_x86_64 "
            "promises 1.2: the first use of an address ends the process [packed-relocations]",
            unpacked_fix}));
    EXPECT_EQ(check(image, for_tag("musllinux_1_1_x86_64")).front().substr(0, 6), "error:");
    EXPECT_EQ(check(image, for_tag("musllinux_1_3_x86_64")), Lines{});
    Expectations untold = for_target("linux-x86_64");
    untold.targets.front().c_library = toolchain::CLibrary::musl;
    EXPECT_EQ(check(image, untold),
              (Lines{"warning: has packed relocations (DT_RELR), which musl before 1.2.4 passes over: the "
                     "first use of an address ends the process [packed-relocations]",
                     unpacked_fix}));
}

TEST(LoadElf, SegmentsForSmallPages) {
    const std::string fix =
        "fix: link with -z max-page-size=65536, and strip or change the file with tools that keep it";
    Image image = module_of(Format::elf);
    image.elf.loads.front().alignment = 0x200000;
    EXPECT_EQ(check(image), Lines{});
    image.elf.loads.front().alignment = 16;
    EXPECT_EQ(check(image),
              (Lines{"warning: has segments that are aligned to 16 bytes: glibc before 2.35 refuses to load it "
                     "[page-alignment]",
                     "fix: link with -z max-page-size=4096, and strip or change the file with tools that keep it"}));
    image.machine = Machine::arm64;
    image.elf.loads = {{0, 0, 65536}, {0x20000, 0x10000, 16384}};
    EXPECT_EQ(check(image),
              (Lines{"warning: has segments that are aligned to 16384 bytes: machines with pages of 65536 bytes "
                     "refuse to load it [page-alignment]",
                     fix}));
    image.elf.loads[1] = {0x21000, 0x10000, 65536};
    EXPECT_EQ(check(image),
              (Lines{"warning: has segments that do not lie as they are aligned: machines with pages of 65536 bytes "
                     "refuse to load it [page-alignment]",
                     fix}));
    image.elf.loads[1] = {0x20010, 0x10000, 65536};
    EXPECT_EQ(check(image),
              (Lines{"error: has a segment at address 0x20010 that lies at byte 0x10000 of the file: the two are at "
                     "different places of a page, so that it cannot be mapped [page-alignment]",
                     fix}));
}

TEST(LoadElf, TheOldestLibraryOfSeveralTags) {
    const auto glibc = oldest_glibc(for_tag("manylinux_2_28_x86_64.manylinux2010_x86_64.manylinux1_x86_64"));
    ASSERT_TRUE(glibc);
    EXPECT_EQ((std::pair{glibc->minor, glibc->tag}), (std::pair{5U, std::string("manylinux1_x86_64")}));
    EXPECT_FALSE(oldest_glibc(for_tag("linux_x86_64")));
    EXPECT_FALSE(oldest_glibc(for_tag("manylinux_2_x86_64")));
    EXPECT_FALSE(oldest_musl(for_tag("manylinux_2_28_x86_64")));
    EXPECT_EQ(oldest_musl(for_tag("manylinux_2_28_x86_64.musllinux_1_2_x86_64.musllinux_1_1_x86_64"))->minor, 1U);
}

TEST(HardeningElf, OneNoteListsWhatIsMissing) {
    Image image = module_of(Format::elf);
    EXPECT_EQ(lines(check_elf_hardening(image, anyone)), Lines{});
    image.elf.properties.x86_shadow_stack = false;
    EXPECT_EQ(lines(check_elf_hardening(image, anyone)),
              (Lines{"note: does without the mark for shadow stacks (SHSTK) [missing-mitigations]",
                     "fix: link with -z shstk (-z shstk only where each function returns by `ret`)"}));
    image.elf.binds_at_load = false;
    image.elf.has_read_only_relocations = false;
    EXPECT_EQ(lines(check_elf_hardening(image, anyone)),
              (Lines{"note: does without RELRO, BIND_NOW and the mark for shadow stacks (SHSTK) [missing-mitigations]",
                     "fix: link with -z relro -z now -z shstk (-z shstk only where each function returns by `ret`)"}));
    EXPECT_EQ(lines(check_elf_hardening(image, musl)),
              (Lines{"note: does without RELRO and BIND_NOW [missing-mitigations]", "fix: link with -z relro -z now"}));
    image.machine = Machine::arm64;
    EXPECT_EQ(lines(check_elf_hardening(image, anyone)).size(), 2U);
    // Where nothing is bound late, there is nothing to bind now.
    image.elf.has_late_bindings = false;
    EXPECT_EQ(lines(check_elf_hardening(image, anyone)),
              (Lines{"note: does without RELRO [missing-mitigations]", "fix: link with -z relro"}));
    image.kind = FileKind::executable;
    EXPECT_EQ(lines(check_elf_hardening(image, anyone)), Lines{});
    EXPECT_EQ(lines(check_elf_hardening(module_of(Format::pe), anyone)), Lines{});
}

}  // namespace
}  // namespace nasm_build::inspect::testing
