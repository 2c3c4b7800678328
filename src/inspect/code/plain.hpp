// The length of a plain instruction, from its bytes and a table of shapes that fills as shapes are met: the inner loop of a scan.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "inspect/code/head.hpp"

namespace nasm_build::inspect::code {

/// By a shape's number, for the encodings without VEX: 0 where the shape is not known or not plain, otherwise one more than the
/// bytes of its immediate. One table for the process, because a shape is the same in every file.
inline std::array<std::atomic<std::uint8_t>, shape_count> plain_immediates;

/// Bytes behind ModRM, by its value: SIB and a displacement.
inline constexpr std::array<std::uint8_t, 256> address_sizes = [] {
    std::array<std::uint8_t, 256> sizes{};
    for (std::size_t modrm = 0; modrm < 0xC0; ++modrm) {
        const std::size_t mod = modrm >> 6U;
        const std::size_t rm = modrm & 7U;
        const std::size_t displacement = mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
        sizes.at(modrm) = static_cast<std::uint8_t>(displacement + (rm == 4 ? 1 : 0));
    }
    return sizes;
}();

/// Bytes between ModRM and the immediate.
inline std::size_t address_size(std::span<const std::byte> bytes, const Head& head) {
    if (!head.has_modrm) {
        return 0;
    }
    // Without a base there is a displacement of four bytes.
    const bool has_bare_sib = head.mod() == 0 && head.rm() == 4 && (byte_at(bytes, head.size) & 7U) == 5;
    return std::size_t{address_sizes[head.modrm]} + (has_bare_sib ? 4 : 0);
}

/// The part of a shape's number that ModRM gives: registers or memory, and `reg`.
inline constexpr std::array<std::uint8_t, 256> modrm_parts = [] {
    std::array<std::uint8_t, 256> parts{};
    for (std::size_t modrm = 0; modrm < parts.size(); ++modrm) {
        parts.at(modrm) = static_cast<std::uint8_t>((modrm >= 0xC0 ? 8U : 0U) | ((modrm >> 3U) & 7U));
    }
    return parts;
}();

/// The length of the instruction where it is known to be plain; 0 where the decoder must be asked. Of the bytes, there must be
/// `room_to_read`. It reads what read_head does, but for several prefixes, with nothing kept on the way.
inline std::size_t plain_length(std::span<const std::byte> bytes) {
    std::size_t place = 0;
    std::size_t row = 0;  // as Head::shape() has it: prefix, REX.W, map
    std::uint8_t byte = byte_at(bytes, 0);
    Lead lead = leads[byte];
    if (lead == Lead::operand_size || lead == Lead::repeat || lead == Lead::repeat_not) {
        row = (lead == Lead::operand_size ? 1U : lead == Lead::repeat ? 2U : 3U) << 6U;
        byte = byte_at(bytes, ++place);
        lead = leads[byte];
    }
    if (lead == Lead::rex) {
        row |= byte & 8U;  // REX.W, where the number has it
        byte = byte_at(bytes, ++place);
    } else if (lead != Lead::opcode) {
        return 0;
    }
    bool has_modrm = has_modrm_in_one_byte_map[byte];
    if (byte == 0x0F) {
        byte = byte_at(bytes, ++place);
        has_modrm = has_modrm_after_0f[byte];
        row |= static_cast<std::size_t>(OpcodeMap::after_0f);
        if (byte == 0x38 || byte == 0x3A) {
            row += byte == 0x38 ? 1U : 2U;
            has_modrm = true;
            byte = byte_at(bytes, ++place);
        }
    }
    ++place;
    const std::size_t shape = (row << 8U | byte) << 4U;
    if (!has_modrm) {
        const std::uint8_t known = plain_immediates[shape].load(std::memory_order_relaxed);
        return known == 0 ? 0 : place + known - 1;
    }
    const std::uint8_t modrm = byte_at(bytes, place);
    const std::uint8_t known = plain_immediates[shape | modrm_parts[modrm]].load(std::memory_order_relaxed);
    const bool has_bare_sib = (modrm & 0xC7U) == 4 && (byte_at(bytes, place + 1) & 7U) == 5;
    const std::size_t length = place + address_sizes[modrm] + (has_bare_sib ? 4U : 0U) + known;
    return known == 0 || length > longest_instruction ? 0 : length;
}

}  // namespace nasm_build::inspect::code
