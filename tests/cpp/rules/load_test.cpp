#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

constexpr const char* stack_fix =
    "fix: link with -z noexecstack, or put `section .note.GNU-stack noalloc noexec nowrite progbits` at the end of each "
    "source";
constexpr const char* text_fix =
    "fix: use `default rel`, and put tables of addresses into `section .data.rel.ro`; -z text makes the linker refuse";

Verdict check(const Image& image) {
    return check_load(image, for_target("linux-x86_64"));
}

TEST(Load, NothingToSay) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check(module_of(format))), Lines{});
    }
}

TEST(Load, AnExecutableStack) {
    Image image = module_of(Format::elf);
    image.stack = Stack::executable;
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: asks for an executable stack, and glibc from 2.41 on refuses to load it "
                     "[executable-stack]",
                     stack_fix}));
    image.stack = Stack::missing;
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"error: does not say that its stack need not be executable, and glibc from 2.41 on refuses to load "
               "it [executable-stack]",
               stack_fix}));
}

TEST(Load, AMissingHeaderMeansNothingOnSomeMachines) {
    Image image = module_of(Format::elf);
    image.stack = Stack::missing;
    for (const Machine machine : {Machine::arm64, Machine::riscv64, Machine::ppc64le, Machine::loongarch64}) {
        image.machine = machine;
        EXPECT_EQ(lines(check(image)), Lines{}) << name_of(machine);
    }
    for (const Machine machine : {Machine::x86, Machine::arm, Machine::s390x}) {
        image.machine = machine;
        EXPECT_EQ(lines(check(image)).size(), 2U) << name_of(machine);
    }
}

TEST(Load, MuslTakesNoNoticeOfTheStack) {
    Image image = module_of(Format::elf);
    image.stack = Stack::executable;
    Expectations expected = for_target("linux-x86_64");
    expected.targets.front().c_library = toolchain::CLibrary::musl;
    EXPECT_EQ(lines(check_load(image, expected)).front(),
              "warning: asks for an executable stack, and glibc from 2.41 on refuses to load it [executable-stack]");
}

TEST(Load, TextRelocations) {
    Image image = module_of(Format::elf);
    image.claims_text_relocations = true;
    image.text_relocations = {{code_address + 4, "PyErr_SetString"}, {code_address + 24, "PyErr_SetString"}};
    EXPECT_EQ(lines(check(image)),
              (Lines{"warning: has relocations in its code (addresses of PyErr_SetString), so the loader must make the "
                     "code writable, which SELinux and hardened kernels deny [text-relocations]",
                     text_fix}));
    EXPECT_EQ(check(image).findings.front().symbol, "PyErr_SetString");
    image.claims_text_relocations = false;
    EXPECT_EQ(lines(check(image)),
              (Lines{"error: has relocations in memory that is not writable (addresses of PyErr_SetString): loading it "
                     "ends the process [text-relocations]",
                     text_fix}));
    image.format = Format::pe;
    EXPECT_EQ(lines(check(image)), Lines{});
}

TEST(Load, WritableCode) {
    Image image = module_of(Format::elf);
    image.memory.front().writable = true;
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"warning: has memory that is writable and executable at once (.text) [writable-code]",
               "fix: keep code in `section .text` and data in `section .data`; write no `write` after `exec` in a "
               "section line"}));
    image = module_of(Format::macho);
    image.machine = Machine::arm64;
    image.memory.front().writable = true;
    image.memory.front().name = "__TEXT";
    EXPECT_EQ(lines(check(image)).front(),
              "error: has memory that is writable and executable at once (__TEXT), which macOS refuses on arm64 "
              "[writable-code]");
}

}  // namespace
}  // namespace nasm_build::inspect::testing
