// Follows control through the functions of a code map: the one place that says which bytes are instructions.
#pragma once

#include <cstdint>

#include "inspect/code/code_map.hpp"
#include "inspect/code/decoder.hpp"

namespace nasm_build::inspect::code {

/// Takes what the walk finds, one function after the other. Instructions come as control reaches them, not by address.
class FunctionSink {
public:
    FunctionSink() = default;
    virtual ~FunctionSink() = default;
    FunctionSink(const FunctionSink&) = delete;
    FunctionSink& operator=(const FunctionSink&) = delete;

    /// Whether plain instructions (is_plain) are handed over as well; those that are not are counted alone.
    [[nodiscard]] virtual bool wants_plain() const = 0;

    virtual void begin(const Start& start) = 0;
    virtual void take(const Instruction& instruction) = 0;
    virtual void end(std::uint64_t instructions) = 0;  ///< the function is whole, and has so many
    virtual void drop() = 0;  ///< what came since `begin` is no code
};

/// Hands over each function whose code could be decoded, the most trustworthy starts first. Each byte of code is in one
/// function at most: labels in the middle of a function that was walked are none. Returns how many could not be decoded.
std::uint64_t for_each_function(const CodeMap& map, const Decoder& decoder, FunctionSink& sink);

}  // namespace nasm_build::inspect::code
