#include "inspect/rules/isa_baseline.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <string_view>
#include <utility>

#include "inspect/rules/c_library.hpp"

namespace nasm_build::inspect {

namespace {

using code::Feature;
using code::FeatureSet;
using code::Level;

using SystemVersion = std::pair<unsigned, unsigned>;

SystemVersion version_of(std::string_view text) {
    SystemVersion version{0, 0};
    const char* const end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, version.first);
    if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.') {
        std::from_chars(major.ptr + 1, end, version.second);
    }
    return version;
}

// Apple's list of machines for each system: the oldest are Core 2 (Merom) up to 10.11, Penryn up to 10.13, and from 10.14 on
// Nehalem, which is x86-64-v2; clang compiles for the first two by default. Newer systems run x86-64 code under Rosetta too, which
// had no AVX before macOS 15, so the baseline stays there.
FeatureSet baseline_of_macos(const Image& image) {
    const SystemVersion version = version_of(image.minimum_system);
    if (version >= SystemVersion{10, 14}) {
        return code::features_of(Level::v2);
    }
    FeatureSet features;
    features.add(Feature::ssse3);
    if (version >= SystemVersion{10, 12}) {
        features.add(Feature::sse41);
    }
    return features;
}

// A file with the mark GNU_PROPERTY_X86_ISA_1_NEEDED is loaded by glibc on no lesser machine; isa-needed tells of it.
FeatureSet asked_by_glibc(const Image& image, const Expectations& expected) {
    constexpr auto levels = std::to_array<Level>({Level::v1, Level::v2, Level::v3, Level::v4});
    const auto level = static_cast<std::size_t>(std::bit_width(image.elf.properties.x86_isa_needed));
    if (level == 0 || level > levels.size() || !may_meet_glibc(expected)) {
        return {};
    }
    return code::features_of(levels.at(level - 1));
}

}  // namespace

// What only the first x86-64 processors of 2003 to 2005 lack is taken for granted: Windows from 8.1 on and every hypervisor ask
// for it too.
FeatureSet baseline_of(const Image& image, const Expectations& expected) {
    FeatureSet features;
    for (const Feature feature : {Feature::baseline, Feature::cx16, Feature::sahf, Feature::sse3}) {
        features.add(feature);
    }
    if (image.format == Format::macho) {
        // The slice for Haswell: dyld takes it on no older machine.
        features.add(image.slice == "x86_64h" ? code::features_of(Level::v3) : baseline_of_macos(image));
    }
    if (image.format == Format::elf) {
        features.add(asked_by_glibc(image, expected));
    }
    return features;
}

}  // namespace nasm_build::inspect
