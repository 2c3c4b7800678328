// The rules on a wheel as a whole (Scope::wheel): a pure function from what it says and holds to what is wrong.
#pragma once

#include <string>
#include <vector>

#include "inspect/finding.hpp"
#include "inspect/wheel_facts.hpp"

namespace nasm_build::inspect {

[[nodiscard]] Verdict check_wheel(const WheelFacts& wheel);

/// The ids of the rules for wheels that were checked and found nothing.
[[nodiscard]] std::vector<std::string> passed_by_wheel(const Verdict& verdict);

}  // namespace nasm_build::inspect
