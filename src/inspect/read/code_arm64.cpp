// The encodings of A64 that make addresses, load them and go elsewhere (Arm Architecture Reference Manual, C4.1); of the others
// only which registers they may change.
#include "inspect/memory.hpp"
#include "inspect/read/code.hpp"

namespace nasm_build::inspect::code {

namespace {

constexpr unsigned width = 4, zero_or_stack = 31;

class Instruction {
public:
    explicit Instruction(std::uint32_t bits) noexcept : bits_(bits) {}

    [[nodiscard]] bool is(std::uint32_t mask, std::uint32_t value) const noexcept { return (bits_ & mask) == value; }
    [[nodiscard]] std::uint32_t field(unsigned low, unsigned count) const noexcept {
        return (bits_ >> low) & ((1U << count) - 1U);
    }
    [[nodiscard]] std::uint64_t signed_field(unsigned low, unsigned count) const noexcept {
        const std::uint64_t value = field(low, count);
        const std::uint64_t sign = std::uint64_t{1} << (count - 1);
        return (value ^ sign) - sign;
    }
    [[nodiscard]] unsigned rd() const noexcept { return field(0, 5); }
    [[nodiscard]] unsigned rn() const noexcept { return field(5, 5); }
    [[nodiscard]] unsigned rt2() const noexcept { return field(10, 5); }
    [[nodiscard]] unsigned rm() const noexcept { return field(16, 5); }

private:
    std::uint32_t bits_;
};

Value address_value(std::uint64_t address) noexcept {
    return {Value::Kind::address, address, {}};
}

/// Register 31 is the zero register or the stack pointer: nothing is ever known of either.
void set(Registers& registers, unsigned number, const Value& value) {
    if (number != zero_or_stack) {
        registers.at(number) = value;
    }
}

std::optional<Step> branch(const Instruction& code, std::uint64_t at, const Registers& registers) {
    Step step;
    step.length = width;
    if (code.is(0x7C000000, 0x14000000)) {  // b, bl
        step.flow = code.is(0x80000000, 0x80000000) ? Flow::call : Flow::jump;
        step.target = address_value(at + code.signed_field(0, 26) * width);
    } else if (code.is(0xFF000000, 0x54000000) || code.is(0x7E000000, 0x34000000)) {  // b.cond, cbz, cbnz
        step.flow = Flow::branch;
        step.target = address_value(at + code.signed_field(5, 19) * width);
    } else if (code.is(0x7E000000, 0x36000000)) {  // tbz, tbnz
        step.flow = Flow::branch;
        step.target = address_value(at + code.signed_field(5, 14) * width);
    } else if (code.is(0xFE000000, 0xD6000000)) {  // br, blr, ret, with and without authentication
        const std::uint32_t kind = code.field(21, 2);
        step.flow = kind == 0 ? Flow::jump : kind == 1 ? Flow::call : Flow::end;
        step.returns = kind == 2;
        step.target = kind == 2 ? Value{} : registers.at(code.rn());
    } else if (code.is(0xFFE00000, 0xD4200000) || code.is(0xFFFF0000, 0)) {  // brk, udf
        step.flow = Flow::end;
    } else {
        return std::nullopt;
    }
    return step;
}

/// adr, adrp, add and sub of a number, mov between registers.
std::optional<Value> computed(const Instruction& code, std::uint64_t at, const Registers& registers) {
    constexpr std::uint64_t page = 4096;
    const std::uint64_t relative = (code.signed_field(5, 19) << 2U) | code.field(29, 2);
    if (code.is(0x9F000000, 0x10000000)) {
        return address_value(at + relative);
    }
    if (code.is(0x9F000000, 0x90000000)) {
        return address_value(at / page * page + relative * page);
    }
    if (code.is(0xBF000000, 0x91000000) && code.rn() != zero_or_stack) {
        const Value& base = registers.at(code.rn());
        const std::uint64_t number = std::uint64_t{code.field(10, 12)} << (code.field(22, 1) != 0 ? 12U : 0U);
        const bool subtracts = code.field(30, 1) != 0;
        return base.kind == Value::Kind::address
                   ? address_value(subtracts ? base.address - number : base.address + number)
                   : Value{};
    }
    if (code.is(0xFFE0FFE0, 0xAA0003E0) && code.rm() != zero_or_stack) {
        return registers.at(code.rm());
    }
    return std::nullopt;
}

std::optional<std::uint64_t> known_base(const Instruction& code, const Registers& registers) {
    if (code.rn() == zero_or_stack || registers.at(code.rn()).kind != Value::Kind::address) {
        return std::nullopt;
    }
    return registers.at(code.rn()).address;
}

/// Loads and stores. Of the forms that are not read here, every register that they may change is forgotten.
void access(const Image& image, const Instruction& code, std::uint64_t at, Registers& registers, Step& step) {
    const auto base = known_base(code, registers);
    if (code.is(0xFFC00000, 0xF9400000)) {  // ldr x, [base, #offset]
        set(registers, code.rd(), base ? loaded_from(image, *base + std::uint64_t{code.field(10, 12)} * 8) : Value{});
        return;
    }
    if (code.is(0xFF000000, 0x58000000)) {  // ldr x, label
        set(registers, code.rd(), loaded_from(image, at + code.signed_field(5, 19) * width));
        return;
    }
    const bool is_vector = code.field(26, 1) != 0;
    if (code.is(0x3B000000, 0x39000000)) {  // the other loads and stores with an unsigned offset
        const unsigned scale = is_vector && code.field(23, 1) != 0 ? 4 : code.field(30, 2);
        const bool stores = (code.field(22, 2) & (is_vector ? 1U : 3U)) == 0;
        if (stores && base) {
            step.written = {*base + (std::uint64_t{code.field(10, 12)} << scale), std::uint64_t{1} << scale};
        } else if (!stores && !is_vector) {
            set(registers, code.rd(), {});
        }
        return;
    }
    if (code.is(0x3A000000, 0x28000000)) {  // pairs
        const bool loads = code.field(22, 1) != 0;
        const unsigned scale = is_vector ? 2 + code.field(30, 2) : 2 + code.field(31, 1);
        const bool moves_base = code.field(23, 1) != 0 && code.field(23, 2) != 2;
        if (!loads && base && code.field(23, 2) == 2) {
            step.written = {*base + (code.signed_field(15, 7) << scale), std::uint64_t{2} << scale};
        }
        if (loads && !is_vector) {
            set(registers, code.rd(), {});
            set(registers, code.rt2(), {});
        }
        if (moves_base) {
            set(registers, code.rn(), {});
        }
        return;
    }
    set(registers, code.rd(), {});
    set(registers, code.rn(), {});
    set(registers, code.rm(), {});
}

}  // namespace

Step step_arm64(const Image& image, std::uint64_t at, Registers& registers) {
    Step step;
    const auto bits = bytes_at(image, at).size() >= width ? number_at(image, at, width) : std::nullopt;
    if (!bits || at % width != 0) {
        step.flow = Flow::stuck;
        return step;
    }
    const Instruction code(static_cast<std::uint32_t>(*bits));
    step.length = width;
    if (const auto gone = branch(code, at, registers)) {
        return *gone;
    }
    if (const auto value = computed(code, at, registers)) {
        set(registers, code.rd(), *value);
    } else if (code.is(0x0A000000, 0x08000000)) {
        access(image, code, at, registers, step);
    } else if (!code.is(0x1C000000, 0x14000000) || code.is(0xFFE00000, 0xD5200000)) {
        // Hints, barriers and system registers write no register, but for mrs and sysl.
        set(registers, code.rd(), {});
    }
    return step;
}

}  // namespace nasm_build::inspect::code
