// One x86-64 instruction as plain facts.
#pragma once

#include <cstdint>

#include "inspect/code/features.hpp"

namespace nasm_build::inspect::code {

/// Where the processor goes after an instruction.
enum class Flow : std::uint8_t {
    next,  ///< to the one behind it
    call,  ///< to a function, and then to the one behind it
    branch,  ///< to its target or to the one behind it
    jump,  ///< to its target
    ends,  ///< nowhere that is known here: a return, a trap
};

/// What an instruction does that a scan asks for by name.
enum class Does : std::uint8_t {
    other,
    asks_the_processor,  ///< cpuid, xgetbv
    sets_frame,  ///< mov rbp, rsp; lea rbp, [rsp + x]; enter
    nothing,  ///< a nop: padding
    is_privileged,  ///< only a kernel may run it: what decodes to one is data
};

struct Instruction {
    std::uint64_t address = 0;
    std::uint8_t length = 0;
    Flow flow = Flow::next;
    Does does = Does::other;
    /// Of a jump, a branch or a call: it names its target, which is `target`. Otherwise the target is computed.
    bool is_direct = false;
    /// The target is read from a fixed place in memory (`jmp [rel x]`): a table of the linker's, not of a switch.
    bool is_through_memory = false;
    std::uint64_t target = 0;
    std::uint64_t memory = 0;  ///< the address of a variable that it names (`[rel x]`); 0 when it names none
    std::uint64_t immediate = 0;  ///< its number (`and eax, 3`), its sign extended; 0 when it has none
    /// What it needs of the processor: one feature or, where its encoding is AVX's own, two.
    Feature feature = Feature::baseline;
    Feature encoding = Feature::baseline;

    bool operator==(const Instruction&) const = default;
};

/// Whether of an instruction nothing but its length matters to a scan that does not look at operands: four of five are such.
[[nodiscard]] constexpr bool is_plain(Flow flow, Does does, Feature feature, Feature encoding) noexcept {
    return flow == Flow::next && does == Does::other && feature == Feature::baseline && encoding == Feature::baseline;
}

}  // namespace nasm_build::inspect::code
