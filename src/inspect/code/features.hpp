// The instruction sets of x86-64 processors beyond the first ones: their names, and the levels that group them.
//
// Levels are those of the System V ABI for AMD64 (section "Micro-Architecture Levels"); names are those that compilers take
// after -m.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::inspect::code {

/// The level of a processor: each has all of the lower ones.
enum class Level : std::uint8_t { v1 = 1, v2, v3, v4 };

/// What an instruction needs of the processor. `baseline` is what every x86-64 has.
enum class Feature : std::uint8_t {
    baseline,
    // x86-64-v2
    cx16,
    sahf,
    popcnt,
    sse3,
    ssse3,
    sse41,
    sse42,
    // x86-64-v3
    avx,
    avx2,
    bmi1,
    bmi2,
    f16c,
    fma,
    lzcnt,
    movbe,
    xsave,
    // x86-64-v4
    avx512f,
    avx512bw,
    avx512cd,
    avx512dq,
    // of no level
    adx,
    aes,
    amx_bf16,
    amx_int8,
    amx_tile,
    avx512_4fmaps,
    avx512_4vnniw,
    avx512bf16,
    avx512bitalg,
    avx512er,
    avx512fp16,
    avx512ifma,
    avx512pf,
    avx512vbmi,
    avx512vbmi2,
    avx512vnni,
    avx512vp2intersect,
    avx512vpopcntdq,
    avxvnni,
    clflushopt,
    clwb,
    clzero,
    enqcmd,
    fma4,
    fsgsbase,
    gfni,
    hreset,
    kl,
    lwp,
    movdiri,
    mwaitx,
    now3d,
    padlock,
    pclmul,
    pku,
    rdpid,
    rdpru,
    rdrnd,
    rdseed,
    rtm,
    serialize,
    sgx,
    sha,
    sse4a,
    tbm,
    tsxldtrk,
    uintr,
    vaes,
    vpclmulqdq,
    waitpkg,
    xop,
    xsavec,
    xsaveopt,
};

inline constexpr std::size_t feature_count = static_cast<std::size_t>(Feature::xsaveopt) + 1;

class FeatureSet {
public:
    void add(Feature feature) { bits_.set(static_cast<std::size_t>(feature)); }
    void add(const FeatureSet& other) { bits_ |= other.bits_; }
    [[nodiscard]] bool has(Feature feature) const { return bits_.test(static_cast<std::size_t>(feature)); }
    [[nodiscard]] bool empty() const { return bits_.none(); }
    /// What is here and not in `other`.
    [[nodiscard]] FeatureSet without(const FeatureSet& other) const;
    /// In the order of the enumeration; `baseline` is never named.
    [[nodiscard]] std::vector<Feature> list() const;
    bool operator==(const FeatureSet&) const = default;

private:
    std::bitset<feature_count> bits_;
};

/// `ssse3`, `avx512vpopcntdq`, …
[[nodiscard]] std::string_view name_of(Feature feature);
/// `x86-64-v3`
[[nodiscard]] std::string_view name_of(Level level);

/// The level that has the feature; nothing (v1) for those that no level has.
[[nodiscard]] Level level_of(Feature feature);
/// Whether a level names the feature.
[[nodiscard]] bool is_of_a_level(Feature feature);

/// What a processor of that level has.
[[nodiscard]] FeatureSet features_of(Level level);

/// The lowest level with all features that levels name: `v1` for none.
[[nodiscard]] Level level_of(const FeatureSet& features);

/// The names of those features that no level has.
[[nodiscard]] std::vector<std::string> beyond_levels(const FeatureSet& features);

}  // namespace nasm_build::inspect::code
