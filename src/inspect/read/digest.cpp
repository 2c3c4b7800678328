// SHA-256 and SHA-1 after FIPS 180-4; see digest.hpp for why they are here.
#include "inspect/read/digest.hpp"

#include <bit>
#include <cstring>

namespace nasm_build::inspect {

namespace {

constexpr std::size_t block_size = 64;

// FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> sha256_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t load_big(const std::byte* at) noexcept {
    return std::to_integer<std::uint32_t>(at[0]) << 24U | std::to_integer<std::uint32_t>(at[1]) << 16U |
           std::to_integer<std::uint32_t>(at[2]) << 8U | std::to_integer<std::uint32_t>(at[3]);
}

struct Sha256 {
    std::array<std::uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    void take(const std::byte* block) noexcept {
        std::array<std::uint32_t, 64> schedule{};
        for (std::size_t i = 0; i < 16; ++i) {
            schedule[i] = load_big(block + i * 4);
        }
        for (std::size_t i = 16; i < schedule.size(); ++i) {
            const std::uint32_t early = schedule[i - 15];
            const std::uint32_t late = schedule[i - 2];
            schedule[i] = schedule[i - 16] + (std::rotr(early, 7) ^ std::rotr(early, 18) ^ (early >> 3U)) +
                          schedule[i - 7] + (std::rotr(late, 17) ^ std::rotr(late, 19) ^ (late >> 10U));
        }
        auto [a, b, c, d, e, f, g, h] = state;
        for (std::size_t i = 0; i < schedule.size(); ++i) {
            const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                        ((e & f) ^ (~e & g)) + sha256_constants[i] + schedule[i];
            const std::uint32_t second =
                (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + first;
            d = c;
            c = b;
            b = a;
            a = first + second;
        }
        const std::array<std::uint32_t, 8> added = {a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < state.size(); ++i) {
            state[i] += added[i];
        }
    }
};

struct Sha1 {
    std::array<std::uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

    void take(const std::byte* block) noexcept {
        std::array<std::uint32_t, 80> schedule{};
        for (std::size_t i = 0; i < 16; ++i) {
            schedule[i] = load_big(block + i * 4);
        }
        for (std::size_t i = 16; i < schedule.size(); ++i) {
            schedule[i] = std::rotl(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);
        }
        auto [a, b, c, d, e] = state;
        for (std::size_t i = 0; i < schedule.size(); ++i) {
            // FIPS 180-4, 4.1.1 and 4.2.1: a function and a constant for each twenty steps.
            const std::uint32_t mixed = i < 20   ? ((b & c) ^ (~b & d)) + 0x5a827999
                                        : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                                        : i < 60 ? ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdc
                                                 : (b ^ c ^ d) + 0xca62c1d6;
            const std::uint32_t next = std::rotl(a, 5) + mixed + e + schedule[i];
            e = d;
            d = c;
            c = std::rotl(b, 30);
            b = a;
            a = next;
        }
        const std::array<std::uint32_t, 5> added = {a, b, c, d, e};
        for (std::size_t i = 0; i < state.size(); ++i) {
            state[i] += added[i];
        }
    }
};

/// Whole blocks, then the rest with a bit, zeros, and the number of bits behind it (FIPS 180-4, 5.1.1).
template <typename Hash>
auto digest(std::span<const std::byte> bytes) noexcept {
    Hash hash;
    const std::size_t whole = bytes.size() / block_size * block_size;
    for (std::size_t at = 0; at < whole; at += block_size) {
        hash.take(bytes.data() + at);
    }
    std::array<std::byte, 2 * block_size> last{};
    const std::size_t rest = bytes.size() - whole;
    if (rest != 0) {
        std::memcpy(last.data(), bytes.data() + whole, rest);
    }
    last[rest] = std::byte{0x80};
    const std::size_t end = rest + 9 <= block_size ? block_size : 2 * block_size;
    const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
    for (std::size_t i = 0; i < 8; ++i) {
        last[end - 1 - i] = static_cast<std::byte>(bits >> (8U * i));
    }
    for (std::size_t at = 0; at < end; at += block_size) {
        hash.take(last.data() + at);
    }
    std::array<std::uint8_t, std::tuple_size_v<decltype(hash.state)> * 4> result{};
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = static_cast<std::uint8_t>(hash.state[i / 4] >> (24U - 8U * (i % 4)));
    }
    return result;
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::span<const std::byte> bytes) noexcept {
    return digest<Sha256>(bytes);
}

std::array<std::uint8_t, 20> sha1(std::span<const std::byte> bytes) noexcept {
    return digest<Sha1>(bytes);
}

}  // namespace nasm_build::inspect
