#include "inspect/code/features.hpp"

#include <algorithm>
#include <array>

namespace nasm_build::inspect::code {

namespace {

constexpr std::array<std::string_view, feature_count> names = {
    "baseline",
    "cx16",
    "sahf",
    "popcnt",
    "sse3",
    "ssse3",
    "sse4.1",
    "sse4.2",
    "avx",
    "avx2",
    "bmi",
    "bmi2",
    "f16c",
    "fma",
    "lzcnt",
    "movbe",
    "xsave",
    "avx512f",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "adx",
    "aes",
    "amx-bf16",
    "amx-int8",
    "amx-tile",
    "avx5124fmaps",
    "avx5124vnniw",
    "avx512bf16",
    "avx512bitalg",
    "avx512er",
    "avx512fp16",
    "avx512ifma",
    "avx512pf",
    "avx512vbmi",
    "avx512vbmi2",
    "avx512vnni",
    "avx512vp2intersect",
    "avx512vpopcntdq",
    "avxvnni",
    "clflushopt",
    "clwb",
    "clzero",
    "enqcmd",
    "fma4",
    "fsgsbase",
    "gfni",
    "hreset",
    "kl",
    "lwp",
    "movdiri",
    "mwaitx",
    "3dnow",
    "padlock",
    "pclmul",
    "pku",
    "rdpid",
    "rdpru",
    "rdrnd",
    "rdseed",
    "rtm",
    "serialize",
    "sgx",
    "sha",
    "sse4a",
    "tbm",
    "tsxldtrk",
    "uintr",
    "vaes",
    "vpclmulqdq",
    "waitpkg",
    "xop",
    "xsavec",
    "xsaveopt",
};

}  // namespace

FeatureSet FeatureSet::without(const FeatureSet& other) const {
    FeatureSet rest;
    rest.bits_ = bits_ & ~other.bits_;
    return rest;
}

std::vector<Feature> FeatureSet::list() const {
    std::vector<Feature> features;
    for (std::size_t index = 1; index < feature_count; ++index) {
        if (bits_.test(index)) {
            features.push_back(static_cast<Feature>(index));
        }
    }
    return features;
}

std::string_view name_of(Feature feature) {
    return names.at(static_cast<std::size_t>(feature));
}

std::string_view name_of(Level level) {
    constexpr std::array<std::string_view, 4> levels = {"x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
    return levels.at(static_cast<std::size_t>(level) - 1);
}

Level level_of(Feature feature) {
    if (feature >= Feature::cx16 && feature <= Feature::sse42) {
        return Level::v2;
    }
    if (feature >= Feature::avx && feature <= Feature::xsave) {
        return Level::v3;
    }
    return feature >= Feature::avx512f && feature <= Feature::avx512dq ? Level::v4 : Level::v1;
}

bool is_of_a_level(Feature feature) {
    return feature <= Feature::avx512dq;
}

FeatureSet features_of(Level level) {
    FeatureSet features;
    features.add(Feature::baseline);
    for (std::size_t index = 1; index <= static_cast<std::size_t>(Feature::avx512dq); ++index) {
        const auto feature = static_cast<Feature>(index);
        if (level_of(feature) <= level) {
            features.add(feature);
        }
    }
    return features;
}

Level level_of(const FeatureSet& features) {
    Level highest = Level::v1;
    if (features.empty()) {  // most functions
        return highest;
    }
    for (const Feature feature : features.list()) {
        highest = std::max(highest, level_of(feature));
    }
    return highest;
}

std::vector<std::string> beyond_levels(const FeatureSet& features) {
    std::vector<std::string> beyond;
    for (const Feature feature : features.list()) {
        if (!is_of_a_level(feature)) {
            beyond.emplace_back(name_of(feature));
        }
    }
    return beyond;
}

}  // namespace nasm_build::inspect::code
