#include "inspect/code/features.hpp"

#include <gtest/gtest.h>

namespace nasm_build::inspect::code {
namespace {

FeatureSet set_of(std::initializer_list<Feature> features) {
    FeatureSet set;
    for (const Feature feature : features) {
        set.add(feature);
    }
    return set;
}

TEST(Features, TheLevelIsThatOfTheHighestFeature) {
    EXPECT_EQ(name_of(level_of(FeatureSet())), "x86-64-v1");
    EXPECT_EQ(name_of(level_of(set_of({Feature::popcnt}))), "x86-64-v2");
    EXPECT_EQ(name_of(level_of(set_of({Feature::popcnt, Feature::movbe}))), "x86-64-v3");
    EXPECT_EQ(name_of(level_of(set_of({Feature::avx512dq, Feature::sse3}))), "x86-64-v4");
    EXPECT_EQ(name_of(level_of(set_of({Feature::aes, Feature::sha}))), "x86-64-v1");
}

// The table of the System V ABI for AMD64.
TEST(Features, ALevelHasTheLowerOnes) {
    EXPECT_EQ(features_of(Level::v1).list().size(), 0U);
    EXPECT_EQ(features_of(Level::v2).list().size(), 7U);
    EXPECT_EQ(features_of(Level::v3).list().size(), 16U);
    EXPECT_EQ(features_of(Level::v4).list().size(), 20U);
    EXPECT_TRUE(set_of({Feature::avx2, Feature::sse3}).without(features_of(Level::v3)).empty());
    EXPECT_EQ(set_of({Feature::avx2, Feature::sse3}).without(features_of(Level::v2)), set_of({Feature::avx2}));
}

TEST(Features, TheRestAreNamed) {
    const FeatureSet features = set_of({Feature::avx512f, Feature::vaes, Feature::avx512vpopcntdq, Feature::amx_tile});
    EXPECT_EQ(beyond_levels(features), (std::vector<std::string>{"amx-tile", "avx512vpopcntdq", "vaes"}));
    EXPECT_EQ(name_of(Feature::xsaveopt), "xsaveopt");
    EXPECT_EQ(name_of(Feature::rdseed), "rdseed");
}

}  // namespace
}  // namespace nasm_build::inspect::code
