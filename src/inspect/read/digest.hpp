// SHA-256 and SHA-1: what the pages of a code signature are hashed by.
//
// Written here, after FIPS 180-4, because no library that is linked anyway offers them: LIEF keeps its copy of Mbed TLS to
// itself (no header of it is installed, and release builds of LIEF may not have it), libzip hands out no hashes, and a crypto
// library more would be the largest dependency for its smallest use. Nothing secret passes through.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nasm_build::inspect {

[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::span<const std::byte> bytes) noexcept;
[[nodiscard]] std::array<std::uint8_t, 20> sha1(std::span<const std::byte> bytes) noexcept;

}  // namespace nasm_build::inspect
