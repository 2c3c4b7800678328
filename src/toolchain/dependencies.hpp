// The files that an assembly source is made from, as rules for Make tell them: NASM's are read, ours are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

/// What `nasm -M -MT TARGET` prints as prerequisites of TARGET, unescaped, each once; empty where there is no such rule.
[[nodiscard]] std::vector<std::string> rule_inputs(std::string_view output, std::string_view target);

/// A rule for Make and Ninja, `target: inputs`, escaped, with forward slashes.
[[nodiscard]] std::string make_rule(const std::string& target, const std::vector<std::string>& inputs);

}  // namespace nasm_build::toolchain
