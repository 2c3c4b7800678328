// The only file that names Zydis for following entry points.
#include <Zydis/Zydis.h>

#include <algorithm>

#include "inspect/memory.hpp"
#include "inspect/read/code.hpp"

namespace nasm_build::inspect::code {

namespace {

constexpr std::size_t longest_instruction = 15;

struct Decoded {
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
};

const ZydisDecoder& decoder() {
    static const ZydisDecoder made = [] {
        ZydisDecoder one;
        ZydisDecoderInit(&one, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        return one;
    }();
    return made;
}

/// The number of the 64-bit register that holds this one; nothing for registers of other classes.
std::optional<unsigned> general_register(ZydisRegister name) {
    // The commonest classes stand in the order of their numbers.
    if (name >= ZYDIS_REGISTER_RAX && name <= ZYDIS_REGISTER_R15) {
        return static_cast<unsigned>(name - ZYDIS_REGISTER_RAX);
    }
    if (name >= ZYDIS_REGISTER_EAX && name <= ZYDIS_REGISTER_R15D) {
        return static_cast<unsigned>(name - ZYDIS_REGISTER_EAX);
    }
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name);
    if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64) {
        return std::nullopt;
    }
    return static_cast<unsigned>(ZydisRegisterGetId(whole));
}

/// The address of a memory operand where it is a constant.
std::optional<std::uint64_t> address_of(const Decoded& decoded, const ZydisDecodedOperand& operand, std::uint64_t at,
                                        const Registers& registers) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.index != ZYDIS_REGISTER_NONE ||
        operand.mem.segment == ZYDIS_REGISTER_FS || operand.mem.segment == ZYDIS_REGISTER_GS) {
        return std::nullopt;
    }
    const auto displacement = static_cast<std::uint64_t>(operand.mem.disp.value);
    if (operand.mem.base == ZYDIS_REGISTER_RIP) {
        return at + decoded.instruction.length + displacement;
    }
    const auto base = general_register(operand.mem.base);
    if (!base || registers.at(*base).kind != Value::Kind::address) {
        return std::nullopt;
    }
    return registers.at(*base).address + displacement;
}

bool is_whole(const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_GPR64;
}

/// What a `mov` into a whole register leaves there.
Value moved(const Image& image, const Decoded& decoded, std::uint64_t at, const Registers& registers) {
    const ZydisDecodedOperand& source = decoded.operands[1];
    if (is_whole(source)) {
        return registers.at(*general_register(source.reg.value));
    }
    if (const auto address = address_of(decoded, source, at, registers)) {
        return loaded_from(image, *address);
    }
    if (source.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && decoded.instruction.raw.imm[0].size == 64) {
        return loaded_from(image, at + decoded.instruction.raw.imm[0].offset);  // an absolute address is relocated
    }
    return {};
}

/// The new value of the instruction's first operand; unknown for all but the few forms that make addresses.
Value result_of(const Image& image, const Decoded& decoded, std::uint64_t at, const Registers& registers) {
    if (!is_whole(decoded.operands[0])) {
        return {};
    }
    const Value& old = registers.at(*general_register(decoded.operands[0].reg.value));
    const ZydisDecodedOperand& source = decoded.operands[1];
    const bool adds = decoded.instruction.mnemonic == ZYDIS_MNEMONIC_ADD;
    switch (decoded.instruction.mnemonic) {
        case ZYDIS_MNEMONIC_LEA:
            if (const auto address = address_of(decoded, source, at, registers)) {
                return {Value::Kind::address, *address, {}};
            }
            return {};
        case ZYDIS_MNEMONIC_MOV:
            return moved(image, decoded, at, registers);
        case ZYDIS_MNEMONIC_ADD:
        case ZYDIS_MNEMONIC_SUB:
            if (old.kind == Value::Kind::address && source.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
                return {Value::Kind::address,
                        adds ? old.address + source.imm.value.u : old.address - source.imm.value.u,
                        {}};
            }
            return {};
        default:
            return {};
    }
}

Value target_of(const Image& image, const Decoded& decoded, std::uint64_t at, const Registers& registers) {
    const ZydisDecodedOperand& operand = decoded.operands[0];
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        return {Value::Kind::address, at + decoded.instruction.length + operand.imm.value.u, {}};
    }
    if (is_whole(operand)) {
        return registers.at(*general_register(operand.reg.value));
    }
    if (const auto address = address_of(decoded, operand, at, registers)) {
        return loaded_from(image, *address);
    }
    return {};
}

void apply(const Image& image, const Decoded& decoded, std::uint64_t at, Registers& registers, Step& step) {
    const Value result = result_of(image, decoded, at, registers);
    for (unsigned i = 0; i < decoded.instruction.operand_count; ++i) {
        const ZydisDecodedOperand& operand = decoded.operands.at(i);
        if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) {
            continue;
        }
        if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
            if (const auto number = general_register(operand.reg.value)) {
                registers.at(*number) = i == 0 ? result : Value{};
            }
        } else if (const auto address = address_of(decoded, operand, at, registers)) {
            step.written = {*address, operand.size / 8U};
        }
    }
}

Flow flow_of(const Decoded& decoded) {
    switch (decoded.instruction.meta.category) {
        case ZYDIS_CATEGORY_CALL:
            return Flow::call;
        case ZYDIS_CATEGORY_RET:
            return Flow::end;
        case ZYDIS_CATEGORY_UNCOND_BR:
            return Flow::jump;
        case ZYDIS_CATEGORY_COND_BR:
            return Flow::branch;
        case ZYDIS_CATEGORY_INTERRUPT:
            return Flow::end;
        default:
            break;
    }
    const bool stops =
        decoded.instruction.mnemonic == ZYDIS_MNEMONIC_UD2 || decoded.instruction.mnemonic == ZYDIS_MNEMONIC_HLT;
    return stops ? Flow::end : Flow::next;
}

bool changes_flags_alone(ZydisMnemonic mnemonic) {
    return mnemonic == ZYDIS_MNEMONIC_CMP || mnemonic == ZYDIS_MNEMONIC_TEST || mnemonic == ZYDIS_MNEMONIC_NOP ||
           mnemonic == ZYDIS_MNEMONIC_ENDBR64;
}

}  // namespace

Step step_x86_64(const Image& image, std::uint64_t at, Registers& registers) {
    Step step;
    const auto bytes = bytes_at(image, at);
    Decoded decoded;
    ZydisDecoderContext context;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
            &decoder(), &context, bytes.data(), std::min(bytes.size(), longest_instruction), &decoded.instruction))) {
        step.flow = Flow::stuck;
        return step;
    }
    step.length = decoded.instruction.length;
    step.flow = flow_of(decoded);
    step.returns = decoded.instruction.meta.category == ZYDIS_CATEGORY_RET;
    // Operands are decoded where they say something: half of the instructions compare, or name where they go.
    if (decoded.instruction.raw.imm[0].is_relative) {
        step.target = {Value::Kind::address, at + step.length + decoded.instruction.raw.imm[0].value.u, {}};
        return step;
    }
    if (changes_flags_alone(decoded.instruction.mnemonic)) {
        return step;
    }
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&decoder(), &context, &decoded.instruction, decoded.operands.data(),
                                                 decoded.instruction.operand_count))) {
        step.flow = Flow::stuck;
        return step;
    }
    if (step.flow == Flow::call || step.flow == Flow::jump || step.flow == Flow::branch) {
        step.target = target_of(image, decoded, at, registers);
    } else {
        apply(image, decoded, at, registers, step);
    }
    return step;
}

}  // namespace nasm_build::inspect::code
