// One x86-64 instruction as the verifier needs it: what it does to registers, to the stack and to control.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "inspect/abi/registers.hpp"

namespace nasm_build::inspect::abi {

/// What the verifier models exactly. Everything else is `other`: its writes are all that is known of it.
enum class Action : std::uint8_t {
    other,
    copy,  ///< destination = source, all 64 bits
    copy_low,  ///< destination = the low `width` bits of source, extended with zeros or, from 32 on, their sign
    set,  ///< destination = constant
    compute_address,  ///< destination = base + displacement
    add,  ///< destination += constant
    add_register,  ///< destination += source
    subtract_register,  ///< destination -= source
    mask,  ///< destination &= constant, all 64 bits
    mask_32,  ///< the same of the low half, and the upper one is cleared
    load,  ///< destination = 8 bytes of memory
    load_signed_32,  ///< destination = 4 bytes of memory, sign-extended: an entry of a jump table
    load_32,  ///< destination = 4 bytes of memory, zero-extended
    load_8,  ///< destination = 1 byte of memory, zero-extended
    store,  ///< 8 bytes of memory = source
    load_vector,  ///< 16 bytes and more of memory into a vector register
    store_vector,
    copy_vector,
    compare,  ///< of the low `width` bits of a register with a constant: bounds what follows
    compare_registers,
    compare_memory,  ///< of memory with a constant
    exchange,  ///< of two registers, or of a register with 8 bytes of memory
    push,  ///< of a register
    push_other,  ///< of a constant, of memory
    push_flags,
    pop,
    pop_other,  ///< into memory or the flags
    leave,
    call,
    branch,
    jump,
    ret,
    trap,  ///< nothing follows: ud2, int3, hlt
};

/// The condition of a branch, as its opcode's low four bits: 2 is below, 7 above, 4 equal; of the others, one with a name.
enum class Condition : std::uint8_t {
    below = 2,
    not_below = 3,
    equal = 4,
    not_equal = 5,
    not_above = 6,
    above = 7,
    greater = 15,
};

/// What happens to a control register of floating point.
enum class FloatingControl : std::uint8_t {
    none,
    save_mxcsr,
    load_mxcsr,
    save_x87,
    load_x87,
    reset_x87,  ///< fninit
};

struct Memory {
    Register base = Register::none;
    Register index = Register::none;
    std::uint8_t scale = 0;
    std::uint8_t size = 0;  ///< bytes, at the most 255
    bool is_used = false;
    bool is_written = false;
    bool is_read = false;
    bool is_segment = false;  ///< of fs or gs: no address of the stack
    /// From the base; where there is neither base nor index, the address itself (`[rel x]`).
    std::int64_t displacement = 0;

    bool operator==(const Memory&) const = default;
    [[nodiscard]] bool has_no_register() const noexcept { return base == Register::none && index == Register::none; }
    [[nodiscard]] bool is_same_place(const Memory& other) const noexcept {
        return is_used && other.is_used && base == other.base && index == other.index && scale == other.scale &&
               size == other.size && displacement == other.displacement && is_segment == other.is_segment;
    }
};

struct Instruction {
    std::uint64_t address = 0;
    std::uint64_t target = 0;  ///< of a direct jump, branch or call
    std::int64_t constant = 0;
    Memory memory;
    RegisterSet reads;  ///< general registers whose values count, idioms left out (`xor eax, eax`)
    RegisterSet writes;  ///< all 64 bits (32-bit writes clear the upper half)
    RegisterSet writes_32;  ///< those of them that clear the upper half
    RegisterSet partial_writes;  ///< 8 or 16 bits, or only perhaps (cmov)
    RegisterSet vector_reads;
    RegisterSet vector_writes;
    Action action = Action::other;
    Register destination = Register::none;
    Register source = Register::none;
    std::uint8_t length = 0;
    std::uint8_t vector =
        0;  ///< the number of the vector register of load_vector, store_vector and the source of copy_vector
    Condition condition = Condition::below;
    bool is_direct = false;  ///< the target is in the instruction
    std::uint8_t width = 64;  ///< bits, of compare and copy_low
    bool sets_direction = false;
    bool clears_direction = false;
    bool restores_flags = false;  ///< popf: the direction flag is what was saved
    bool needs_alignment = false;  ///< faults where its memory operand is not at a multiple of 16
    bool is_padding = false;  ///< a nop
    bool is_system_call = false;
    bool reads_flags = false;  ///< of those that arithmetic sets
    bool writes_flags = false;
    bool leaves_carry = false;  ///< of those that it writes it writes all but CF: inc, dec
    /// Of an operation on memory with a constant: what becomes of the bit that is DF in saved flags; nothing where that is not known.
    std::optional<bool> touches_direction_bit;
    bool asks_for_zero = false;  ///< `test r, r`, `cmp r, 0`: of `destination`
    bool is_endbr = false;  ///< endbr64: a place that indirect jumps and calls may lead to
    bool is_probe = false;  ///< touches memory and leaves it as it is: `or qword [rsp - 4096], 0`
    bool uses_upper = false;  ///< writes all 32 bytes and more of a vector register
    bool clears_upper = false;  ///< vzeroupper, vzeroall
    bool uses_mmx = false;  ///< writes a register that x87 shares
    bool clears_mmx = false;  ///< emms
    FloatingControl control = FloatingControl::none;

    [[nodiscard]] std::uint64_t next() const noexcept { return address + length; }
    /// Whether it may change what the stack is known to hold.
    [[nodiscard]] bool may_write_stack() const noexcept {
        return memory.is_written || action == Action::call || action == Action::exchange || action == Action::push ||
               action == Action::push_other || action == Action::push_flags;
    }
};

/// The instruction that the bytes start with; false when they are none that is known.
[[nodiscard]] bool decode(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction);

}  // namespace nasm_build::inspect::abi
