// Which C library a Linux module meets, and how old it may be: by the wheel's tags, or by the target.
#pragma once

#include <optional>
#include <string>

#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"

namespace nasm_build::inspect {

/// Whether a promise is for glibc; true where nobody said, because that is what most machines have.
[[nodiscard]] bool may_meet_glibc(const Expectations& expected);
/// Whether a promise is for musl.
[[nodiscard]] bool may_meet_musl(const Expectations& expected);

/// `usual` where glibc may be met; a warning where musl is met alone, which takes no notice of what the rule is about.
[[nodiscard]] Severity severity_by_library(const Expectations& expected, Severity usual);

/// The oldest C library that a wheel's tag promises to run on, and the tag.
struct OldestLibrary {
    unsigned major = 0;
    unsigned minor = 0;
    std::string tag;
};

/// By `manylinux_2_17_…` and its older names (PEP 600). Nothing without such a tag.
[[nodiscard]] std::optional<OldestLibrary> oldest_glibc(const Expectations& expected);
/// By `musllinux_1_2_…` (PEP 656): any 1.2.x.
[[nodiscard]] std::optional<OldestLibrary> oldest_musl(const Expectations& expected);

}  // namespace nasm_build::inspect
