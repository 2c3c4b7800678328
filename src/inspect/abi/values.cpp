#include "inspect/abi/values.hpp"

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
        result.offset += constant;
        return result;
    }
    result = {};
    result.residue = value.kind == Kind::unknown && value.residue == 0 && constant % 16 == 0 ? 0 : -1;
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
        const auto distance = static_cast<std::uint64_t>(entry.offset - base.offset);
        return {Kind::table_target, entry.number, entry.residue, static_cast<std::uint32_t>(distance), base.offset};
    }
    return value.kind == Kind::constant ? sum(other, value.offset) : Value{};
}

Value moved(const Value& value, const Value& distance, std::uint32_t where, Register one) {
    if (distance.kind == Value::Kind::constant) {
        return sum(value, -distance.offset);
    }
    if (!value.is_stack()) {
        return {};
    }
    const auto alignment = value.alignment();
    const bool is_multiple = distance.kind == Value::Kind::unknown && distance.residue == 0;
    return fresh_stack(where, one, alignment && is_multiple ? static_cast<std::int8_t>(*alignment) : std::int8_t{-1});
}

Value masked(const Value& value, std::int64_t mask, std::uint32_t where, Register one) {
    if (value.is_stack()) {
        return fresh_stack(where, one, mask < 0 && (mask & 15) == 0 ? 0 : -1);
    }
    if (mask >= 0) {
        return Value::at_most(mask);
    }
    Value result;
    result.residue = (mask & 15) == 0 ? 0 : -1;
    return result;
}

Value extended(const Value& value, unsigned width) {
    const std::int64_t largest = (std::int64_t{1} << width) - 1;
    if (value.kind == Value::Kind::bounded && value.number >= width && value.offset <= largest) {
        return Value::at_most(value.offset);
    }
    return width < 32 ? Value::at_most(largest) : Value{};
}

std::uint8_t entries_of(const Value& index) {
    const bool is_known = index.kind == Value::Kind::bounded && index.number == 64 && index.offset < 255;
    return is_known ? static_cast<std::uint8_t>(index.offset + 1) : 0;
}

}  // namespace nasm_build::inspect::abi
