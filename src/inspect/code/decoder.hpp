// Decodes x86-64 instructions one at a time, as fast as a scan of all code needs: what instructions of one shape share is asked
// of the decoding library once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "inspect/code/full_decoder.hpp"
#include "inspect/code/instruction.hpp"

namespace nasm_build::inspect::code {

/// Decodes instructions of 64-bit code. Cheap to make; not shared between threads.
class Decoder {
public:
    /// The instruction that the bytes start with; false when they are none that is known.
    [[nodiscard]] bool decode(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction) const;

    /// Its name (`vpaddb`), or empty.
    [[nodiscard]] std::string mnemonic(std::span<const std::byte> bytes) const { return full_.mnemonic(bytes); }

private:
    /// What is known of instructions with EVEX, whose shapes are too many for a table.
    struct Kept {
        std::uint64_t key = 0;
        std::uint64_t shape = 0;
    };

    [[nodiscard]] bool decode_evex(std::span<const std::byte> bytes, std::uint64_t address,
                                   Instruction& instruction) const;

    FullDecoder full_;
    mutable std::vector<Kept> evex_;  ///< by hash; made when the first one is met
};

}  // namespace nasm_build::inspect::code
