#include "inspect/rules/punycode.hpp"

#include <gtest/gtest.h>

namespace nasm_build::inspect {
namespace {

// Each expected value is what CPython's `name.encode("punycode")` gives.
TEST(Punycode, EqualsPythons) {
    EXPECT_EQ(punycode(""), "");
    EXPECT_EQ(punycode("abc"), "abc-");
    EXPECT_EQ(punycode("föö"), "f-1gaa");
    EXPECT_EQ(punycode("mödule"), "mdule-jua");
    EXPECT_EQ(punycode("日本語"), "wgv71a119e");
    EXPECT_EQ(punycode("模块_x"), "_x-sp8cp62e");
    EXPECT_EQ(punycode("ñ"), "ida");
    EXPECT_EQ(punycode("𝕒b😀"), "b-g79qe13e");
    EXPECT_EQ(punycode("παράδειγμα"), "hxajbheg2az3al");
    EXPECT_EQ(punycode("zażółć_gęślą_jaźń"), "za_gl_ja-w3a7psa2tqtgb10airva");
    EXPECT_EQ(punycode("\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbe"), "cn32gba") << "U+10FFFF and the one before it";
}

TEST(Punycode, RefusesWhatIsNotUtf8) {
    EXPECT_EQ(punycode("\xff"), std::nullopt);
    EXPECT_EQ(punycode("\xc3"), std::nullopt);
    EXPECT_EQ(punycode("\xc0\xaf"), std::nullopt);
    EXPECT_EQ(punycode("\xe0\x80\xaf"), std::nullopt);
    EXPECT_EQ(punycode("\xed\xa0\x80"), std::nullopt);
    EXPECT_EQ(punycode("\xf4\x90\x80\x80"), std::nullopt);
}

}  // namespace
}  // namespace nasm_build::inspect
