// Rules for Make: as NASM writes them, and as we do.
#include "toolchain/dependencies.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nasm_build::toolchain {
namespace {

using Words = std::vector<std::string>;

TEST(Dependencies, AreThePrerequisitesOfTheTarget) {
    EXPECT_EQ(rule_inputs("x.o : m.asm a.inc \\\n b.inc\n", "x.o"), (Words{"m.asm", "a.inc", "b.inc"}));
    EXPECT_EQ(rule_inputs("x.o: m.asm \\\r\n a.inc a.inc\r\n", "x.o"), (Words{"m.asm", "a.inc"}));
    EXPECT_EQ(rule_inputs("x.o : a\\ b.inc c\\#d.inc e$$f.inc C:\\g.inc\n", "x.o"),
              (Words{"a b.inc", "c#d.inc", "e$f.inc", "C:\\g.inc"}));
    EXPECT_EQ(rule_inputs("other.o : m.asm\n", "x.o"), Words{});
    EXPECT_EQ(rule_inputs("warning: something\nx.o : m.asm\n", "x.o"), (Words{"m.asm"}));
    EXPECT_EQ(rule_inputs("", "x.o"), Words{});
}

TEST(Dependencies, AreReadBackAsTheyWereWritten) {
    const Words inputs{"m.asm", "a b.inc", "c#d.inc", "e$f.inc"};
    const std::string rule = make_rule("build/my object.o", inputs);
    EXPECT_EQ(rule, "build/my\\ object.o: \\\n  m.asm \\\n  a\\ b.inc \\\n  c\\#d.inc \\\n  e$$f.inc\n");
    EXPECT_EQ(rule_inputs(rule, "build/my\\ object.o"), inputs);
    EXPECT_EQ(make_rule("o", {"C:\\p\\m.asm"}), "o: \\\n  C:/p/m.asm\n");
}

}  // namespace
}  // namespace nasm_build::toolchain
