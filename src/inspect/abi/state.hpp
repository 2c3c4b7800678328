// What is known of registers and stack at one place of a function, whichever way control came there.
//
// A value is what a register had when the function was entered, an address of the stack, a number, or nothing that is known.
// Where ways meet, what agrees is kept. Stack addresses have a base: 0 is rsp at entry (where the return address lies), any
// other one a place in the code at which rsp became something that is only known modulo 16 (alloca, `and rsp, -16`, ways of
// unequal depth).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "inspect/abi/instruction.hpp"

namespace nasm_build::inspect::abi {

struct Value {
    enum class Kind : std::uint16_t {
        unknown,
        /// By a call that leaves anything in it: whoever reads it reads what nobody wrote. `number` is 1 where that holds on one way
        /// here alone.
        destroyed,
        entry,  ///< what register `number` had at entry
        entry_vector,  ///< the low 16 bytes that vector register `number` had at entry
        stack,  ///< `base` + `offset`
        constant,  ///< `offset`
        bounded,  ///< its low `number` bits are a number from 0 to `offset`
        table_entry,  ///< one of the 4-byte numbers of a table at `offset`; `number` of them, 0 where that is not known
        table_target,  ///< such an entry plus `offset`; its table lies `base` (signed) bytes from there
        table_pointer,  ///< one of the 8-byte addresses of a table at `offset`
        /// What a function of another image returned, by the call at `base`; `number` is 1 for an object of Python's that may be
        /// NULL, 2 for one of which that was asked, `result_is_zero` where its low bits are zero.
        result,
        flags,  ///< saved flags; `number` is 1 where DF is set in them
        control,  ///< what a control register of floating point had at entry: MXCSR (`number` 0), the x87 control word (1)
    };
    /// Of an address that was moved by a multiple of 8: it is 8 bytes off a multiple of 16 every other time.
    static constexpr std::int8_t residue_in_doubt = -2;
    static constexpr std::uint8_t result_is_zero = 3;
    /// Of what comes from a table: its entries are extended with zeros; it may have fewer than `number`.
    static constexpr std::int8_t table_is_unsigned = 1, table_in_doubt = 2;

    Kind kind = Kind::unknown;
    std::uint8_t number = 0;
    /// Of a stack address: its base modulo 16, or `residue_in_doubt`. Of an unknown value: 0 where it is a multiple of 16, 8 where it
    /// is one of 8. Of a bounded one: 0 where its form alone bounds it. Of what comes from a table: the two flags above. Otherwise -1.
    std::int8_t residue = -1;
    std::uint32_t base = 0;
    std::int64_t offset = 0;

    /// Asked at every place where ways meet: two words are compared, for which there is no padding.
    bool operator==(const Value& other) const {
        using Words = std::array<std::uint64_t, 2>;
        return std::bit_cast<Words>(*this) == std::bit_cast<Words>(other);
    }

    [[nodiscard]] static Value entry(Register one) { return {Kind::entry, static_cast<std::uint8_t>(one), -1, 0, 0}; }
    [[nodiscard]] static Value entry_vector(unsigned number) {
        return {Kind::entry_vector, static_cast<std::uint8_t>(number), -1, 0, 0};
    }
    [[nodiscard]] static Value constant(std::int64_t number) { return {Kind::constant, 0, -1, 0, number}; }
    /// A number of 64 bits from 0 to `most`, as a comparison told.
    [[nodiscard]] static Value at_most(std::int64_t most) { return {Kind::bounded, 64, -1, 0, most}; }
    /// The same, as its form tells: a mask, or few bits. Compilers may know that it never is as large.
    [[nodiscard]] static Value fits_in(std::int64_t most) { return {Kind::bounded, 64, 0, 0, most}; }
    [[nodiscard]] static Value destroyed() { return {Kind::destroyed, 0, -1, 0, 0}; }
    [[nodiscard]] static Value flags(bool is_direction_set) {
        return {Kind::flags, static_cast<std::uint8_t>(is_direction_set ? 1 : 0), -1, 0, 0};
    }
    [[nodiscard]] static Value control(unsigned number) {
        return {Kind::control, static_cast<std::uint8_t>(number), -1, 0, 0};
    }
    /// What a number of 64 bits is at the most; -1 where that is not known.
    [[nodiscard]] std::int64_t most() const {
        const bool is_number = kind == Kind::constant || (kind == Kind::bounded && number == 64);
        return is_number && offset >= 0 ? offset : -1;
    }
    [[nodiscard]] bool is_stack() const { return kind == Kind::stack; }
    [[nodiscard]] bool is_entry_of(Register one) const {
        return kind == Kind::entry && number == static_cast<std::uint8_t>(one);
    }
    /// How far a stack address is above a multiple of `size`, which is a power of 2: as far as that is known, and 0 where it is not.
    /// `number` of an address that was aligned to more than 16 is the power.
    [[nodiscard]] unsigned distance_from_multiple(unsigned size) const;
    /// A stack address modulo 16, from 0 to 15; nothing when that is not known.
    [[nodiscard]] std::optional<unsigned> alignment() const;
};
static_assert(std::has_unique_object_representations_v<Value>);

/// A place of the stack that holds something worth keeping: a register's value at entry, or an address of the stack.
struct Slot {
    std::uint32_t base = 0;
    std::int64_t offset = 0;
    Value value;
    bool operator==(const Slot&) const = default;
    [[nodiscard]] std::int64_t size() const;
};

/// Memory that is known to hold a number from 0 to `most`, until a register of its address or memory is written.
struct BoundedMemory {
    Memory place;
    std::int64_t most = -1;  ///< -1 for none
    bool operator==(const BoundedMemory&) const = default;
};

enum class Direction : std::uint8_t { clear, set, unknown };

/// The upper halves of the ymm registers; with anything but zeros in them, SSE instructions are slow.
enum class Upper : std::uint8_t { unchanged, clear, used };

/// Whether the thread holds CPython's global lock: what PyEval_SaveThread gives away.
enum class Lock : std::uint8_t { held, released, unknown };

/// What `floating` counts: where they are set, something is not as it was at entry.
enum Floating : std::uint8_t { floating_mxcsr = 1, floating_x87_control = 2, floating_mmx = 4 };

struct State {
    std::array<Value, register_count> registers;
    RegisterSet kept_vectors;  ///< the vector registers whose low 16 bytes are those of entry
    RegisterSet destroyed_vectors;  ///< by a call that leaves anything in them
    RegisterSet doubtful_vectors;  ///< the same, on one way here at least
    Direction direction = Direction::clear;
    Upper upper = Upper::unchanged;
    std::uint8_t floating = 0;
    Lock lock = Lock::held;
    bool are_flags_destroyed = false;  ///< those of arithmetic, by a call that leaves anything in them
    BoundedMemory bounded_memory;
    /// A piece of the stack, by offsets from rsp at entry, that was taken and never written to.
    std::int64_t untouched_from = 0;
    std::int64_t untouched_to = 0;
    std::vector<Slot> slots;  ///< by base and offset

    bool operator==(const State&) const = default;

    [[nodiscard]] const Value& at(Register one) const { return registers.at(static_cast<unsigned>(one)); }
    [[nodiscard]] Value& at(Register one) { return registers.at(static_cast<unsigned>(one)); }

    [[nodiscard]] std::optional<Value> load(const Value& address) const;
    /// Forgets what the bytes held that are written to.
    void overwrite(const Value& address, std::int64_t size);
    /// The same of what is neither a register's value at entry nor of floating point's.
    void overwrite_locals(const Value& address, std::int64_t size);
    /// Whether a slot is made for it.
    [[nodiscard]] static bool is_worth_keeping(const Value& value);
    void store(const Value& address, const Value& value);
    /// Notes that the stack from one address up to another was taken, and that bytes of it were written to.
    void note_taken(const Value& from, const Value& to);
    void note_written(const Value& address, std::int64_t size);
    /// Whether a call left anything in one of these bytes.
    [[nodiscard]] bool is_destroyed(const Value& address, std::int64_t size) const;
    /// Notes that somebody asked whether the result of a call is NULL.
    void note_test_of(const Value& result);
    /// Forgets what is kept at addresses that are counted from other bases.
    void forget_other_bases(std::uint32_t base);
    /// Forgets what lies below an address of the stack.
    void forget_below(const Value& address);
};

/// The state at a function's first instruction.
[[nodiscard]] State entry_state();

/// Puts `other` into `into`, at the place `where` where two ways meet. True when that changed it.
bool join(State& into, const State& other, std::uint32_t where);

/// rsp of a new base, at `where`.
[[nodiscard]] Value fresh_stack(std::uint32_t where, Register one, std::int8_t residue);

}  // namespace nasm_build::inspect::abi
