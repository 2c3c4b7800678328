// The start of an x86-64 instruction, up to its ModRM byte: what says of which shape it is (Intel's manual, volume 2, chapter 2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "inspect/code/full_decoder.hpp"

namespace nasm_build::inspect::code {

/// What a byte is at the start of an instruction.
enum class Lead : std::uint8_t { opcode, operand_size, repeat, repeat_not, segment, rex, vex, other };

inline constexpr std::array<Lead, 256> leads = [] {
    std::array<Lead, 256> table{};
    for (std::size_t byte = 0x40; byte <= 0x4F; ++byte) {
        table.at(byte) = Lead::rex;
    }
    for (const std::size_t byte : std::initializer_list<std::size_t>{0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65}) {
        table.at(byte) = Lead::segment;
    }
    table.at(0x66) = Lead::operand_size;
    table.at(0xF2) = Lead::repeat_not;
    table.at(0xF3) = Lead::repeat;
    table.at(0xC4) = table.at(0xC5) = Lead::vex;
    // The address size and LOCK, which only some instructions take; EVEX, and what is XOP's for some ModRM.
    for (const std::size_t byte : std::initializer_list<std::size_t>{0x62, 0x67, 0x8F, 0xF0}) {
        table.at(byte) = Lead::other;
    }
    return table;
}();

constexpr std::array<bool, 256> make_modrm_table(bool after_0f) {
    std::array<bool, 256> has{};
    const auto range = [&has](std::size_t first, std::size_t last) {
        for (std::size_t opcode = first; opcode <= last; ++opcode) {
            has.at(opcode) = true;
        }
    };
    if (after_0f) {
        range(0x00, 0x03);
        range(0x0D, 0x0D);
        range(0x10, 0x2F);
        range(0x40, 0x76);
        range(0x78, 0x7F);
        range(0x90, 0x9F);
        range(0xA3, 0xA5);
        range(0xAB, 0xC7);
        range(0xD0, 0xFF);
        return has;
    }
    for (std::size_t row = 0x00; row <= 0x38; row += 8) {
        range(row, row + 3);
    }
    for (const std::size_t opcode :
         std::initializer_list<std::size_t>{0x63, 0x69, 0x6B, 0xC0, 0xC1, 0xC6, 0xC7, 0xF6, 0xF7, 0xFE, 0xFF}) {
        range(opcode, opcode);
    }
    range(0x80, 0x8F);
    range(0xD0, 0xD3);
    range(0xD8, 0xDF);
    return has;
}

inline constexpr std::array<bool, 256> has_modrm_in_one_byte_map = make_modrm_table(false);
inline constexpr std::array<bool, 256> has_modrm_after_0f = make_modrm_table(true);

/// An instruction up to its ModRM byte.
struct Head {
    std::uint8_t prefix = 0;  ///< as VEX numbers them: 0 none, 1 66, 2 F3, 3 F2
    bool is_wide = false;  ///< REX.W, VEX.W
    bool names_r8_to_r15 = false;  ///< REX.R, REX.B; not told of VEX
    bool is_256 = false;  ///< VEX.L
    bool names_third = false;  ///< VEX.vvvv is not 1111
    OpcodeMap map = OpcodeMap::one_byte;
    std::uint8_t opcode = 0;
    bool has_modrm = false;
    std::uint8_t modrm = 0;
    std::size_t size = 0;  ///< bytes, ModRM among them

    [[nodiscard]] std::uint8_t mod() const { return modrm >> 6U; }
    [[nodiscard]] std::uint8_t reg() const { return (modrm >> 3U) & 7U; }
    [[nodiscard]] std::uint8_t rm() const { return modrm & 7U; }

    /// The number of its shape, below `shape_count`. An instruction without ModRM has 0 for it.
    [[nodiscard]] std::size_t shape() const {
        const std::size_t bits = (is_wide ? 1U : 0U) | (is_256 ? 2U : 0U) | (names_third ? 4U : 0U);
        const std::size_t index =
            ((std::size_t{prefix} << 3U | bits) << 3U | static_cast<std::size_t>(map)) << 8U | opcode;
        return index << 4U | (mod() == 3 ? 8U : 0U) | reg();
    }
};

inline constexpr std::size_t shape_count = std::size_t{1} << 20U;

inline constexpr std::size_t longest_instruction = 15;  // bytes

/// The longest instruction, and eight bytes read from anywhere in it.
inline constexpr std::size_t room_to_read = 32;

/// More of them than this is left to the decoding library, which knows how long an instruction may be.
inline constexpr std::size_t most_prefixes = 8;

inline std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t place) {
    return static_cast<std::uint8_t>(bytes[place]);
}

/// Reads what stands behind a VEX prefix at the start; false for a map that is none.
inline bool read_vex(std::span<const std::byte> bytes, Head& head) {
    std::size_t place = 1;
    std::uint8_t map = 1;
    std::uint8_t last = byte_at(bytes, place++);
    if (byte_at(bytes, 0) == 0xC4) {
        map = last & 0x1FU;
        last = byte_at(bytes, place++);
        head.is_wide = (last & 0x80U) != 0;
    }
    if (map < 1 || map > 3) {
        return false;
    }
    constexpr std::uint8_t vzeroupper = 0x77;
    head.map = map == 1 ? OpcodeMap::vex_0f : map == 2 ? OpcodeMap::vex_0f38 : OpcodeMap::vex_0f3a;
    head.prefix = last & 3U;
    head.is_256 = (last & 4U) != 0;
    head.names_third = (last & 0x78U) != 0x78U;
    head.opcode = byte_at(bytes, place++);
    head.has_modrm = map != 1 || head.opcode != vzeroupper;
    head.modrm = head.has_modrm ? byte_at(bytes, place++) : std::uint8_t{0};
    head.size = place;
    return true;
}

/// Reads the head of an instruction. False for what is not of these maps, and for prefixes that change more than operands.
inline bool read_head(std::span<const std::byte> bytes, Head& head) {
    std::size_t place = 0;
    const auto set_prefix = [&head](std::uint8_t prefix) {
        const bool is_another = head.prefix != 0 && head.prefix != prefix;
        head.prefix = prefix;
        return !is_another;
    };
    std::uint8_t byte = byte_at(bytes, place++);
    for (Lead lead = leads[byte]; lead != Lead::opcode; lead = leads[byte]) {
        if (lead == Lead::rex) {
            constexpr std::uint8_t wide = 8, register_or_base = 5;
            head.is_wide = (byte & wide) != 0;
            head.names_r8_to_r15 = (byte & register_or_base) != 0;
            byte = byte_at(bytes, place++);
            break;
        }
        if (lead == Lead::vex) {
            return place == 1 && read_vex(bytes, head);
        }
        if (place > most_prefixes || lead == Lead::other || (lead == Lead::operand_size && !set_prefix(1)) ||
            (lead == Lead::repeat && !set_prefix(2)) || (lead == Lead::repeat_not && !set_prefix(3))) {
            return false;
        }
        byte = byte_at(bytes, place++);
    }
    if (byte != 0x0F) {
        head.has_modrm = has_modrm_in_one_byte_map[byte];
    } else {
        byte = byte_at(bytes, place++);
        head.map = OpcodeMap::after_0f;
        head.has_modrm = has_modrm_after_0f[byte];
        if (byte == 0x38 || byte == 0x3A) {
            head.map = byte == 0x38 ? OpcodeMap::after_0f38 : OpcodeMap::after_0f3a;
            head.has_modrm = true;
            byte = byte_at(bytes, place++);
        }
    }
    head.opcode = byte;
    if (head.has_modrm) {
        head.modrm = byte_at(bytes, place++);
    }
    head.size = place;
    return true;
}

}  // namespace nasm_build::inspect::code
