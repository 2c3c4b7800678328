// What the decoding library knows of one instruction. No type of it leaves full_decoder.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "inspect/code/instruction.hpp"

namespace nasm_build::inspect::code {

/// The opcode maps (Intel's manual, volume 2, appendix A), without VEX and with it.
enum class OpcodeMap : std::uint8_t { one_byte, after_0f, after_0f38, after_0f3a, vex_0f, vex_0f38, vex_0f3a, other };

/// How an instruction is written.
struct Encoding {
    OpcodeMap map = OpcodeMap::other;
    std::uint8_t opcode = 0;
    bool has_modrm = false;
    std::uint8_t immediate_size = 0;  ///< bytes; a relative target counts as one
    bool has_more = false;  ///< a second immediate, or an address without ModRM (`mov al, [abs 64-bit]`)
};

/// Cheap to make; not shared between threads.
class FullDecoder {
public:
    FullDecoder();
    ~FullDecoder();
    FullDecoder(const FullDecoder&) = delete;
    FullDecoder& operator=(const FullDecoder&) = delete;

    /// The instruction that the bytes start with; false when they are none that is known.
    [[nodiscard]] bool decode(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction,
                              Encoding& encoding) const;

    /// Its name (`vpaddb`), or empty.
    [[nodiscard]] std::string mnemonic(std::span<const std::byte> bytes) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nasm_build::inspect::code
