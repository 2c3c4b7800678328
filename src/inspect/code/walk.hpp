// Follows control through the functions of a code map: the one place that says which bytes are instructions.
#pragma once

#include <functional>

#include "inspect/code/code_map.hpp"
#include "inspect/code/decoder.hpp"

namespace nasm_build::inspect::code {

/// One function as it was walked: its instructions in the order of their addresses.
struct Walked {
    Start start;
    std::vector<Instruction> instructions;
};

/// Calls `visit` for each function whose code could be decoded, the most trustworthy starts first. Each byte of code is in one
/// function at most: labels in the middle of a function that was walked are none. Returns how many could not be decoded.
std::uint64_t for_each_function(const CodeMap& map, const Decoder& decoder,
                                const std::function<void(const Walked&)>& visit);

}  // namespace nasm_build::inspect::code
