// One instruction at a time: what it does to registers of which a constant address is known, and where the code goes on.
//
// A small wrapper, so that one file alone names Zydis, and so that arm64, of which a dozen encodings matter here, looks the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "inspect/image.hpp"

namespace nasm_build::inspect::code {

/// What is known of a register.
struct Value {
    enum class Kind : std::uint8_t { unknown, address, symbol };
    Kind kind = Kind::unknown;
    std::uint64_t address = 0;  ///< of this image
    std::string_view symbol;  ///< of another one
};

/// The general registers by their hardware numbers; x86-64 uses the first 16.
using Registers = std::array<Value, 32>;

enum class Flow : std::uint8_t {
    next,
    call,  ///< goes to `target` and comes back
    jump,  ///< goes to `target` alone
    branch,  ///< goes to `target` or on
    end,  ///< returns, or stops
    stuck,  ///< bytes that are no instruction
};

struct Step {
    unsigned length = 0;
    Flow flow = Flow::next;
    bool returns = false;  ///< with `end`: to the caller
    Value target;
    AddressRange written;  ///< memory at a known address that it writes; of no size when there is none
};

/// Which registers a machine's functions take and give.
struct Convention {
    std::array<unsigned, 3> arguments;
    unsigned result = 0;
    std::uint32_t kept = 0;  ///< bit n: a called function preserves register n
};

/// The convention of the image's code, or nothing for a machine whose code is not followed.
[[nodiscard]] std::optional<Convention> convention_of(const Image& image) noexcept;

/// Decodes the instruction at the address and applies it to the registers.
[[nodiscard]] Step step_x86_64(const Image& image, std::uint64_t at, Registers& registers);  // code_x86_64.cpp
[[nodiscard]] Step step_arm64(const Image& image, std::uint64_t at, Registers& registers);  // code_arm64.cpp

/// What a register has that is loaded from memory at a known address.
[[nodiscard]] Value loaded_from(const Image& image, std::uint64_t address) noexcept;

}  // namespace nasm_build::inspect::code
