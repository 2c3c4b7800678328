// Numbers that one seed and one index fix: an input can be made again without those before it.
#pragma once

#include <cstdint>

namespace nasm_build::fuzz {

/// SplitMix64.
class Random {
public:
    Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t index)
        : state_(seed * 0x9E3779B97F4A7C15U + stream * 0xBF58476D1CE4E5B9U + index * 0x94D049BB133111EBU) {}

    std::uint64_t next() noexcept {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t value = state_;
        value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
        value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
        return value ^ (value >> 31U);
    }

    /// A number below `limit`, which is not 0.
    std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }

private:
    std::uint64_t state_;
};

}  // namespace nasm_build::fuzz
