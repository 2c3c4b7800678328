#include "inspect/abi/values.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace nasm_build::inspect::abi {

std::uint32_t join_place(std::uint64_t address) noexcept {
    return static_cast<std::uint32_t>(address * 2) & 0x3FFFFFFU;
}

std::uint32_t step_place(std::uint64_t address) noexcept {
    return static_cast<std::uint32_t>(address * 2 + 1) & 0x3FFFFFFU;
}

Value sum(const Value& value, std::int64_t constant) {
    using Kind = Value::Kind;
    Value result = value;
    if (value.is_stack() || value.kind == Kind::constant) {
        // Sums wrap, as the processor's do; no stack is a terabyte large.
        result.offset =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(value.offset) + static_cast<std::uint64_t>(constant));
        constexpr std::int64_t largest = std::int64_t{1} << 40;
        const bool is_possible = !value.is_stack() || (result.offset > -largest && result.offset < largest);
        return is_possible ? result : Value{};
    }
    result = {};
    if (value.kind == Kind::unknown && value.residue >= 0 && constant % 8 == 0) {
        result.residue = value.residue == 0 && constant % 16 == 0 ? std::int8_t{0} : std::int8_t{8};
    }
    return result;
}

Value added(const Value& value, const Value& other) {
    using Kind = Value::Kind;
    if (other.kind == Kind::constant && value.kind != Kind::table_entry) {
        return sum(value, other.offset);
    }
    const Value& entry = value.kind == Kind::table_entry ? value : other;
    const Value& base = value.kind == Kind::table_entry ? other : value;
    if (entry.kind == Kind::table_entry && base.kind == Kind::constant) {
        const auto distance = static_cast<std::uint64_t>(entry.offset) - static_cast<std::uint64_t>(base.offset);
        return {Kind::table_target, entry.number, entry.residue, static_cast<std::uint32_t>(distance), base.offset};
    }
    return value.kind == Kind::constant ? sum(other, value.offset) : Value{};
}

Value moved(const Value& value, const Value& distance, std::uint32_t where, Register one) {
    if (distance.kind == Value::Kind::constant) {
        return sum(value, static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(distance.offset)));
    }
    if (!value.is_stack()) {
        return {};
    }
    const auto alignment = value.alignment();
    std::int8_t residue = -1;
    if (alignment && distance.kind == Value::Kind::unknown && distance.residue == 0) {
        residue = static_cast<std::int8_t>(*alignment);
    } else if (alignment && *alignment % 8 == 0 && distance.kind == Value::Kind::unknown && distance.residue == 8) {
        residue = Value::residue_in_doubt;
    }
    return fresh_stack(where, one, residue);
}

Value masked(const Value& value, std::int64_t mask, std::uint32_t where, Register one) {
    if (value.is_stack()) {
        const auto alignment = value.alignment();
        const auto kept_bits = static_cast<unsigned>(mask & 15);
        std::int8_t residue = -1;
        if (mask < 0 && (kept_bits == 0 || alignment)) {
            residue = static_cast<std::int8_t>(kept_bits == 0 ? 0U : *alignment & kept_bits);
        }
        Value made = fresh_stack(where, one, residue);
        if (mask < 0 && kept_bits == 0) {
            constexpr int most = 6;  // 64 bytes, of a zmm register
            made.number = static_cast<std::uint8_t>(std::min(std::countr_zero(static_cast<std::uint64_t>(mask)), most));
        }
        return made;
    }
    if (mask >= 0) {
        // What is smaller than the mask stays as it was found to be.
        const bool is_smaller = value.kind == Value::Kind::bounded && value.most() >= 0 && value.most() <= mask;
        return is_smaller ? value : Value::fits_in(mask);
    }
    Value result;
    result.residue = (mask & 15) == 0 ? std::int8_t{0} : (mask & 7) == 0 ? std::int8_t{8} : std::int8_t{-1};
    return result;
}

Value extended(const Value& value, unsigned width) {
    if (value.kind == Value::Kind::destroyed) {
        return value;
    }
    const std::int64_t largest = (std::int64_t{1} << width) - 1;
    if (value.kind == Value::Kind::bounded && value.number >= width && value.offset <= largest) {
        return {Value::Kind::bounded, 64, value.residue, 0, value.offset};
    }
    return width < 32 ? Value::fits_in(largest) : Value{};
}

Value from_table(Value::Kind kind, const Value& index, std::int8_t flags, std::int64_t table) {
    const bool is_known = index.kind == Value::Kind::bounded && index.number == 64 && index.offset < 255;
    const bool is_in_doubt = is_known && index.residue == 0;
    return {kind, is_known ? static_cast<std::uint8_t>(index.offset + 1) : std::uint8_t{0},
            static_cast<std::int8_t>(is_in_doubt ? flags | Value::table_in_doubt : flags), 0, table};
}

}  // namespace nasm_build::inspect::abi
