// The rules that look at the code itself: facts about an image and its code -> findings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/code/facts.hpp"
#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// isa-above-baseline and frame-pointers.
[[nodiscard]] Verdict check_code(const code::Code& code, const Image& image, const Expectations& expected);

/// What is said of those rules where the code was not read: not applicable, or not checked for the reason.
[[nodiscard]] Verdict code_not_applicable(const std::string& reason);
[[nodiscard]] Verdict code_not_checked(const std::string& reason);

/// A module of a release, as far as it is compared with its namesakes for other platforms.
struct ReleaseModule {
    std::string release;  ///< `name-version` of the wheel; empty for a module without one
    std::string module;
    std::string target;
    std::string place;  ///< how a message names it: the wheel, or the file
    unsigned level = 1;  ///< of x86-64
    unsigned wheel_level = 1;  ///< the highest in its wheel: what it lacks may lie in a library beside it
    std::vector<std::string> functions;  ///< those of that level
};

/// simd-missing: a finding for each module, in the order given; nothing where the rule has nothing to compare.
struct Compared {
    bool is_compared = false;
    std::optional<Finding> finding;
};
[[nodiscard]] std::vector<Compared> check_release(std::span<const ReleaseModule> modules);

}  // namespace nasm_build::inspect
