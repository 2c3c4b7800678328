// The rules on calling conventions: what the verifier found in the code -> findings.
#pragma once

#include <string>

#include "inspect/abi/fault.hpp"
#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// What the verifier found, rule by rule; functions that it could not follow make a rule not checked.
[[nodiscard]] Verdict check_abi(const abi::Verified& verified, const Image& image, const Expectations& expected);

/// What is said of those rules where the code was not verified: not applicable, or not checked for the reason.
[[nodiscard]] Verdict abi_not_applicable(const std::string& reason, const Image& image);
[[nodiscard]] Verdict abi_not_checked(const std::string& reason, const Image& image);

}  // namespace nasm_build::inspect
