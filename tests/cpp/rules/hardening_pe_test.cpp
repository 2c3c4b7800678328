#include <gtest/gtest.h>

#include "images.hpp"

namespace nasm_build::inspect::testing {
namespace {

Verdict check(const Image& image) {
    return check_pe_hardening(image, for_target("win-amd64"));
}

TEST(PeHardening, NothingToSay) {
    for (const Format format : {Format::elf, Format::pe, Format::macho}) {
        EXPECT_EQ(lines(check(module_of(format))), Lines{}) << "control-flow guard alone is no finding";
    }
}

TEST(PeHardening, OneNoteNamesAllThatIsMissing) {
    Image image = module_of(Format::pe);
    image.pe.no_execute = image.pe.dynamic_base = image.pe.high_entropy = false;
    EXPECT_EQ(
        lines(check(image)),
        (Lines{"note: does not ask Windows for data that cannot be executed (NX_COMPAT), a random address "
               "(DYNAMIC_BASE), a random address of 64 bits (HIGH_ENTROPY_VA) and checked indirect calls (GUARD_CF) "
               "[missing-mitigations]",
               "fix: link it with /nxcompat /dynamicbase /highentropyva /guard:cf"}));
    image = module_of(Format::pe);
    image.pe.no_execute = false;
    image.pe.control_flow_guard = true;
    EXPECT_EQ(lines(check(image)),
              (Lines{"note: does not ask Windows for data that cannot be executed (NX_COMPAT) [missing-mitigations]",
                     "fix: link it with /nxcompat"}));
}

TEST(PeHardening, ThirtyTwoBitsHaveNoHighEntropy) {
    Image image = module_of(Format::pe);
    image.pointer_bits = 32;
    image.pe.high_entropy = false;
    EXPECT_EQ(lines(check(image)), Lines{});
}

}  // namespace
}  // namespace nasm_build::inspect::testing
