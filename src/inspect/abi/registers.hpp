// The registers of x86-64 as the verifier counts them, and what the two calling conventions say of each.
//
// System V Application Binary Interface, AMD64 supplement, section 3.2; Microsoft, "x64 calling convention".
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace nasm_build::inspect::abi {

/// The general registers, numbered as instructions encode them.
enum class Register : std::uint8_t {
    rax,
    rcx,
    rdx,
    rbx,
    rsp,
    rbp,
    rsi,
    rdi,
    r8,
    r9,
    r10,
    r11,
    r12,
    r13,
    r14,
    r15,
    none,
};

inline constexpr unsigned register_count = 16;

/// A set of registers: general ones by `Register`, vector ones by their number, from 0 to 15.
class RegisterSet {
public:
    constexpr RegisterSet() = default;
    constexpr explicit RegisterSet(std::uint32_t bits) : bits_(static_cast<std::uint16_t>(bits)) {}
    template <typename... Registers>
    [[nodiscard]] static constexpr RegisterSet of(Registers... registers) {
        RegisterSet set;
        (set.add(registers), ...);
        return set;
    }
    /// The vector registers from one number to another, both among them.
    [[nodiscard]] static constexpr RegisterSet vectors(unsigned first, unsigned last) {
        RegisterSet set;
        for (unsigned number = first; number <= last; ++number) {
            set.add(number);
        }
        return set;
    }

    constexpr void add(Register one) { *this = RegisterSet(bits_ | 1U << static_cast<unsigned>(one)); }  // none: no bit
    constexpr void add(unsigned number) { *this = RegisterSet(bits_ | 1U << number); }
    constexpr void add(RegisterSet other) { *this = RegisterSet(std::uint32_t{bits_} | other.bits_); }
    [[nodiscard]] constexpr bool has(Register one) const {
        return has(static_cast<unsigned>(one));  // none: no bit
    }
    [[nodiscard]] constexpr bool has(unsigned number) const { return (std::uint32_t{bits_} >> number & 1U) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
    [[nodiscard]] constexpr RegisterSet without(RegisterSet other) const {
        return RegisterSet(std::uint32_t{bits_} & ~std::uint32_t{other.bits_});
    }
    [[nodiscard]] constexpr RegisterSet both(RegisterSet other) const {
        return RegisterSet(std::uint32_t{bits_} & other.bits_);
    }
    constexpr bool operator==(const RegisterSet&) const = default;

    /// Calls `action` with the number of each register of the set, in order.
    template <typename Action>
    constexpr void for_each(Action action) const {
        for (std::uint32_t rest = bits_; rest != 0; rest &= rest - 1) {
            action(static_cast<unsigned>(std::countr_zero(rest)));
        }
    }

private:
    std::uint16_t bits_ = 0;
};

/// What a function may rely on, and what it must leave alone.
struct Convention {
    RegisterSet kept;  ///< general registers that a function leaves as they were; `rsp` is not among them
    RegisterSet kept_vectors;  ///< their low 16 bytes
    RegisterSet results;  ///< general registers that may hold a result
    RegisterSet result_vectors;
    std::array<Register, 6> arguments;  ///< of integers and pointers, in their order
    unsigned argument_count = 0;
    std::uint32_t shadow_space = 0;  ///< bytes above the return address that belong to the callee
    std::uint32_t red_zone = 0;  ///< bytes below rsp that nothing else touches
    std::string_view volatile_names;  ///< those a fix may offer
};

inline constexpr Convention system_v{
    RegisterSet::of(Register::rbx, Register::rbp, Register::r12, Register::r13, Register::r14, Register::r15),
    RegisterSet(),
    RegisterSet::of(Register::rax, Register::rdx),
    RegisterSet::vectors(0, 1),
    {Register::rdi, Register::rsi, Register::rdx, Register::rcx, Register::r8, Register::r9},
    6,
    0,
    128,
    "rax rcx rdx rsi rdi r8-r11",
};

inline constexpr Convention win64{
    RegisterSet::of(Register::rbx, Register::rbp, Register::rsi, Register::rdi, Register::r12, Register::r13,
                    Register::r14, Register::r15),
    RegisterSet::vectors(6, 15),
    RegisterSet::of(Register::rax),
    RegisterSet::vectors(0, 0),
    {Register::rcx, Register::rdx, Register::r8, Register::r9, Register::none, Register::none},
    4,
    32,
    0,
    "rax rcx rdx r8-r11",
};

/// `rbx`
[[nodiscard]] std::string_view name_of(Register one) noexcept;

}  // namespace nasm_build::inspect::abi
