#include "inspect/code/decoder.hpp"

#include <array>
#include <atomic>
#include <bit>

#include "base/byte_view.hpp"
#include "inspect/code/head.hpp"
#include "inspect/code/plain.hpp"

namespace nasm_build::inspect::code {

namespace {

/// What is known of a shape.
enum class Known : std::uint8_t {
    nothing,  ///< it was not met yet
    all,
    too_little,  ///< instructions of this shape differ in more than their operands: each is asked for
};

/// What all instructions of one shape share.
struct Shape {
    Known known = Known::nothing;
    std::uint8_t immediate_size = 0;  ///< bytes
    Flow flow = Flow::next;
    Does does = Does::other;
    Feature feature = Feature::baseline;
    Feature encoding = Feature::baseline;
    bool is_relative = false;
    std::uint8_t unused = 0;  ///< makes a word of it
};
static_assert(sizeof(Shape) == sizeof(std::uint64_t));

// One cache for the process: a shape is the same in every file. An entry is one word, and whoever finds it first writes the
// same; the memory is touched where shapes occur.
std::array<std::atomic<std::uint64_t>, shape_count> shapes;
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Opcodes of which more than the shape says what they are: other bits of ModRM, REX or an operand decide.
bool differs_within_shape(const Head& head) {
    const bool has_registers = head.has_modrm && head.mod() == 3;
    switch (head.map) {
        case OpcodeMap::one_byte: {
            const bool names_segment = head.opcode == 0x8C || head.opcode == 0x8E;
            const bool is_x87 = head.opcode >= 0xD8 && head.opcode <= 0xDF;
            const bool is_transaction = (head.opcode == 0xC6 || head.opcode == 0xC7) && head.reg() == 7;
            return names_segment || (is_x87 && has_registers) || is_transaction || head.opcode == 0x90 ||
                   head.opcode == 0xCD;
        }
        case OpcodeMap::after_0f: {
            const bool names_special_register = head.opcode >= 0x20 && head.opcode <= 0x27;
            const bool is_group = head.opcode == 0x00 || head.opcode == 0x01 || head.opcode == 0xAE;
            const bool is_bound = head.opcode == 0x1A || head.opcode == 0x1B;
            return names_special_register || (is_group && has_registers) || is_bound;
        }
        case OpcodeMap::after_0f3a:
            return head.opcode == 0xF0;
        case OpcodeMap::vex_0f:  // mask registers, of which there are eight
            return (head.opcode >= 0x41 && head.opcode <= 0x4F) || (head.opcode >= 0x90 && head.opcode <= 0x9F);
        case OpcodeMap::vex_0f38: {  // gathers, which take no register twice, and tiles
            const bool is_tile =
                head.opcode == 0x49 || head.opcode == 0x4B || head.opcode == 0x5C || head.opcode == 0x5E;
            return is_tile || (head.opcode >= 0x90 && head.opcode <= 0x93);
        }
        case OpcodeMap::vex_0f3a:
            return head.opcode >= 0x30 && head.opcode <= 0x33;
        case OpcodeMap::after_0f38:
        case OpcodeMap::other:
            break;
    }
    return false;
}

// Moves of a whole register to or from rsp or rbp, or what shares their shape with r12 and r13; a `lea` into rbp.
bool may_set_frame(const Head& head) {
    if (head.map != OpcodeMap::one_byte || !head.is_wide) {
        return false;
    }
    const bool is_move =
        head.mod() == 3 && ((head.opcode == 0x89 && head.reg() == 4) || (head.opcode == 0x8B && head.reg() == 5));
    return is_move || (head.opcode == 0x8D && head.reg() == 5);
}

// mov rbp, rsp; lea rbp, [rsp + x]
bool sets_frame(std::span<const std::byte> bytes, const Head& head) {
    constexpr std::uint8_t rsp = 4, rbp = 5;
    constexpr std::uint8_t rsp_alone = 0x24;  // SIB
    if (head.names_r8_to_r15) {
        return false;
    }
    switch (head.opcode) {
        case 0x89:
            return head.rm() == rbp;
        case 0x8B:
            return head.rm() == rsp;
        default:
            return head.rm() == rsp && (byte_at(bytes, head.size) & 0x3FU) == rsp_alone;
    }
}

Shape shape_of(const Head& head, const Instruction& instruction, const Encoding& encoding) {
    Shape shape;
    const bool is_understood = encoding.map == head.map && encoding.opcode == head.opcode &&
                               encoding.has_modrm == head.has_modrm && !encoding.has_more;
    if (!is_understood || differs_within_shape(head)) {
        shape.known = Known::too_little;
        return shape;
    }
    shape.known = Known::all;
    shape.immediate_size = encoding.immediate_size;
    shape.flow = instruction.flow;
    shape.does = may_set_frame(head) ? Does::sets_frame : instruction.does;
    shape.feature = instruction.feature;
    shape.encoding = instruction.encoding;
    shape.is_relative = instruction.is_direct;
    return shape;
}

// A number in the code, its sign extended.
std::uint64_t number(std::span<const std::byte> bytes, std::uint64_t place, std::uint8_t size) {
    const std::uint64_t unused = 64U - std::uint64_t{size} * 8U;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(ByteView(bytes).load<std::uint64_t>(place) << unused) >>
                                      unused);
}

// Makes the instruction of what its shape says and its operands. False where it is longer than instructions are.
bool fill(std::span<const std::byte> bytes, const Head& head, const Shape& shape, std::uint64_t address,
          Instruction& instruction) {
    const std::uint64_t behind_address = head.size + address_size(bytes, head);
    const std::uint64_t length = behind_address + shape.immediate_size;
    if (length > longest_instruction) {
        return false;
    }
    const bool is_relative_to_rip = head.has_modrm && head.mod() == 0 && head.rm() == 5;
    instruction = {};
    instruction.address = address;
    instruction.length = static_cast<std::uint8_t>(length);
    instruction.flow = shape.flow;
    instruction.does = shape.does != Does::sets_frame || sets_frame(bytes, head) ? shape.does : Does::other;
    instruction.feature = shape.feature;
    instruction.encoding = shape.encoding;
    if (is_relative_to_rip) {
        instruction.memory = address + length + number(bytes, head.size, 4);
        instruction.is_through_memory = shape.flow == Flow::call || shape.flow == Flow::jump;
    }
    if (shape.immediate_size != 0) {
        const std::uint64_t immediate = number(bytes, behind_address, shape.immediate_size);
        if (shape.is_relative) {
            instruction.is_direct = true;
            instruction.target = address + length + immediate;
        } else {
            instruction.immediate = immediate;
        }
    }
    return true;
}

constexpr std::uint8_t evex_prefix = 0x62;

// The instruction up to ModRM; what the prefix says is in the key alone.
Head evex_head(std::span<const std::byte> bytes) {
    constexpr std::size_t opcode = 4, modrm = 5;
    Head head;
    head.map = OpcodeMap::other;
    head.opcode = byte_at(bytes, opcode);
    head.has_modrm = true;
    head.modrm = byte_at(bytes, modrm);
    head.size = modrm + 1;
    return head;
}

// What tells instructions with EVEX apart, and never 0: all but EVEX.X, EVEX.B, the rm of ModRM, and which registers vvvv and
// aaa name.
std::uint64_t evex_key(std::span<const std::byte> bytes) {
    const std::uint64_t first = byte_at(bytes, 1) & 0x9FU;
    const std::uint64_t second = (byte_at(bytes, 2) & 0x87U) | ((byte_at(bytes, 2) & 0x78U) != 0x78U ? 8U : 0U);
    const std::uint64_t third = (byte_at(bytes, 3) & 0xF8U) | ((byte_at(bytes, 3) & 7U) != 0 ? 1U : 0U);
    const std::uint64_t modrm = modrm_parts[byte_at(bytes, 5)] | 0x10U;
    return first << 32U | second << 24U | third << 16U | std::uint64_t{byte_at(bytes, 4)} << 8U | modrm;
}

// Gathers, scatters and products of complex numbers (in the maps of FP16) take no register twice; some instructions have a mask
// register in rm.
Shape evex_shape(std::span<const std::byte> bytes, const Head& head, const Instruction& instruction,
                 const Encoding& encoding) {
    const bool is_fp16 = (byte_at(bytes, 1) & 7U) > 3;
    const bool is_gather = (head.opcode >= 0x90 && head.opcode <= 0x93) ||
                           (head.opcode >= 0xA0 && head.opcode <= 0xA3) || head.opcode == 0xC6 || head.opcode == 0xC7;
    const bool has_mask_in_rm =
        head.opcode == 0x28 || head.opcode == 0x2A || head.opcode == 0x38 || head.opcode == 0x3A;
    Shape shape;
    shape.known = is_fp16 || is_gather || has_mask_in_rm || encoding.has_more || !encoding.has_modrm ? Known::too_little
                                                                                                     : Known::all;
    shape.immediate_size = encoding.immediate_size;
    shape.feature = instruction.feature;
    shape.encoding = instruction.encoding;
    return shape;
}

}  // namespace

bool Decoder::decode(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction) const {
    Encoding encoding;
    Head head;
    if (bytes.size() >= room_to_read && byte_at(bytes, 0) == evex_prefix) {
        return decode_evex(bytes, address, instruction);
    }
    if (bytes.size() < room_to_read || !read_head(bytes, head)) {
        return full_.decode(bytes, address, instruction, encoding);
    }
    std::atomic<std::uint64_t>& kept = shapes[head.shape()];
    const Shape shape = std::bit_cast<Shape>(kept.load(std::memory_order_relaxed));
    if (shape.known == Known::all && fill(bytes, head, shape, address, instruction)) {
        return true;
    }
    if (!full_.decode(bytes, address, instruction, encoding)) {
        return false;
    }
    if (shape.known == Known::nothing) {
        const Shape found = shape_of(head, instruction, encoding);
        kept.store(std::bit_cast<std::uint64_t>(found), std::memory_order_relaxed);
        if (found.known == Known::all && is_plain(found.flow, found.does, found.feature, found.encoding)) {
            plain_immediates[head.shape()].store(found.immediate_size + 1U, std::memory_order_relaxed);
        }
    }
    return true;
}

bool Decoder::decode_evex(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction) const {
    constexpr std::size_t kept_count = 4096;
    if (evex_.empty()) {
        evex_.resize(kept_count);
    }
    const Head head = evex_head(bytes);
    const std::uint64_t key = evex_key(bytes);
    constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15;
    Kept& kept = evex_[key * golden_ratio >> 52U];
    if (kept.key == key) {
        const Shape shape = std::bit_cast<Shape>(kept.shape);
        if (shape.known == Known::all && fill(bytes, head, shape, address, instruction)) {
            return true;
        }
    }
    Encoding encoding;
    if (!full_.decode(bytes, address, instruction, encoding)) {
        return false;
    }
    kept = {key, std::bit_cast<std::uint64_t>(evex_shape(bytes, head, instruction, encoding))};
    return true;
}

}  // namespace nasm_build::inspect::code
