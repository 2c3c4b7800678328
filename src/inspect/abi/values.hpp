// Arithmetic on what is known of registers.
#pragma once

#include <cstdint>

#include "inspect/abi/state.hpp"

namespace nasm_build::inspect::abi {

inline constexpr std::int64_t largest_32 = 0xFFFFFFFF;

/// What bases of the stack are called by: the places in the code where they came to be, by two ways that met or by an instruction.
[[nodiscard]] std::uint32_t join_place(std::uint64_t address) noexcept;
[[nodiscard]] std::uint32_t step_place(std::uint64_t address) noexcept;

[[nodiscard]] Value sum(const Value& value, std::int64_t constant);
[[nodiscard]] Value added(const Value& value, const Value& other);
/// Of `one` at `where`: an address that is moved down by something unknown has a new base, whose place modulo 16 is known where
/// the distance's is.
[[nodiscard]] Value moved(const Value& value, const Value& distance, std::uint32_t where, Register one);
[[nodiscard]] Value masked(const Value& value, std::int64_t mask, std::uint32_t where, Register one);
/// Of the low bits of a register, extended to all of them.
[[nodiscard]] Value extended(const Value& value, unsigned width);
/// What a table at an address has for an index; `flags` are those of its entries.
[[nodiscard]] Value from_table(Value::Kind kind, const Value& index, std::int8_t flags, std::int64_t table);

}  // namespace nasm_build::inspect::abi
