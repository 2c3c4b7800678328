// The instructions that the verifier models exactly: moves and sums of addresses, the stack, and where control goes.
#include "inspect/abi/zydis.hpp"

namespace nasm_build::inspect::abi {

void model_two(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    const ZydisDecodedOperand& to = operands[0];
    const ZydisDecodedOperand& from = operands[1];
    const bool to_whole = is_whole_register(to);
    const bool is_number = from.type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    instruction.destination = is_register(to) ? general_register(to.reg.value) : Register::none;
    instruction.source = is_register(from) ? general_register(from.reg.value) : Register::none;
    instruction.constant = is_number ? from.imm.value.s : 0;
    const bool narrow_half = is_register(to) && to.size == 32;
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_MOV:
            if (to_whole && is_whole_register(from)) {
                instruction.action = Action::copy;
            } else if (narrow_half && is_register(from) && instruction.source != Register::none) {
                instruction.action = Action::copy_low;
                instruction.width = 32;
            } else if ((to_whole || narrow_half) && is_number) {
                instruction.action = Action::set;
                instruction.constant =
                    narrow_half ? static_cast<std::int64_t>(from.imm.value.u & 0xFFFFFFFFU) : from.imm.value.s;
            } else if (to_whole && from.type == ZYDIS_OPERAND_TYPE_MEMORY) {
                instruction.action = Action::load;
            } else if (narrow_half && from.type == ZYDIS_OPERAND_TYPE_MEMORY) {
                instruction.action = Action::load_32;
            } else if (to.type == ZYDIS_OPERAND_TYPE_MEMORY && is_whole_register(from)) {
                instruction.action = Action::store;
            }
            break;
        case ZYDIS_MNEMONIC_MOVSXD:
            if (to_whole && from.type == ZYDIS_OPERAND_TYPE_MEMORY) {
                instruction.action = Action::load_signed_32;
            } else if (to_whole && is_register(from)) {
                instruction.action = Action::copy_low;
                instruction.width = 32;
            }
            break;
        case ZYDIS_MNEMONIC_MOVZX:
            if (from.type == ZYDIS_OPERAND_TYPE_MEMORY && from.size == 8 && to.size >= 32) {
                instruction.action = Action::load_8;
            } else if (is_low_part(from) && to.size >= 32) {
                instruction.action = Action::copy_low;
                instruction.width = static_cast<std::uint8_t>(from.size);
            }
            break;
        case ZYDIS_MNEMONIC_LEA:
            if (to_whole && from.mem.index == ZYDIS_REGISTER_NONE) {
                instruction.action = Action::compute_address;
            }
            break;
        case ZYDIS_MNEMONIC_ADD:
        case ZYDIS_MNEMONIC_SUB:
            if (to_whole && is_number) {
                instruction.action = Action::add;
                if (decoded.mnemonic == ZYDIS_MNEMONIC_SUB) {
                    instruction.constant = static_cast<std::int64_t>(0U - from.imm.value.u);
                }
            } else if (to_whole && is_whole_register(from) && instruction.source != instruction.destination) {
                instruction.action =
                    decoded.mnemonic == ZYDIS_MNEMONIC_ADD ? Action::add_register : Action::subtract_register;
            }
            break;
        case ZYDIS_MNEMONIC_AND:
            if (is_number && (to_whole || narrow_half)) {
                instruction.action = to_whole ? Action::mask : Action::mask_32;
            }
            break;
        case ZYDIS_MNEMONIC_CMP:
            instruction.asks_for_zero = to_whole;
            if (is_low_part(to) && is_number) {
                instruction.action = Action::compare;
                instruction.width = static_cast<std::uint8_t>(to.size);
            } else if (to.type == ZYDIS_OPERAND_TYPE_MEMORY && is_number) {
                instruction.action = Action::compare_memory;
            } else if (to_whole && is_whole_register(from)) {
                instruction.action = Action::compare_registers;
            }
            break;
        case ZYDIS_MNEMONIC_TEST:
            if (is_low_part(to) && is_register(from) && to.reg.value == from.reg.value) {
                instruction.asks_for_zero = to_whole;
                instruction.action = Action::compare;  // with 0
                instruction.width = static_cast<std::uint8_t>(to.size);
            }
            break;
        case ZYDIS_MNEMONIC_XCHG: {
            const bool is_to_memory = to.type == ZYDIS_OPERAND_TYPE_MEMORY;
            const bool is_from_memory = from.type == ZYDIS_OPERAND_TYPE_MEMORY;
            if ((to_whole || is_to_memory) && (is_whole_register(from) || is_from_memory)) {
                instruction.action = Action::exchange;
            }
            if (is_to_memory) {
                instruction.destination = instruction.source;
                instruction.source = Register::none;
            }
            break;
        }
        default:
            break;
    }
    if (is_idiom(decoded, operands) && is_register(to) && to.size >= 32 && instruction.destination != Register::none &&
        decoded.mnemonic != ZYDIS_MNEMONIC_SBB) {
        instruction.action = Action::set;
        instruction.constant = decoded.mnemonic == ZYDIS_MNEMONIC_OR ? -1 : 0;
        if (decoded.mnemonic == ZYDIS_MNEMONIC_OR && to.size == 32) {
            instruction.constant = 0xFFFFFFFF;
        }
    }
}

void model_vector(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_MOVAPS:
        case ZYDIS_MNEMONIC_MOVAPD:
        case ZYDIS_MNEMONIC_MOVDQA:
        case ZYDIS_MNEMONIC_MOVUPS:
        case ZYDIS_MNEMONIC_MOVUPD:
        case ZYDIS_MNEMONIC_MOVDQU:
        case ZYDIS_MNEMONIC_VMOVAPS:
        case ZYDIS_MNEMONIC_VMOVAPD:
        case ZYDIS_MNEMONIC_VMOVDQA:
        case ZYDIS_MNEMONIC_VMOVUPS:
        case ZYDIS_MNEMONIC_VMOVUPD:
        case ZYDIS_MNEMONIC_VMOVDQU:
            break;
        default:
            return;
    }
    const int to = is_register(operands[0]) ? vector_register(operands[0].reg.value) : -1;
    const int from = is_register(operands[1]) ? vector_register(operands[1].reg.value) : -1;
    if (to >= 0 && to < 16 && operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY) {
        instruction.action = Action::load_vector;
        instruction.vector = static_cast<std::uint8_t>(to);
    } else if (from >= 0 && from < 16 && operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY) {
        instruction.action = Action::store_vector;
        instruction.vector = static_cast<std::uint8_t>(from);
    } else if (to >= 0 && to < 16 && from >= 0 && from < 16) {
        instruction.action = Action::copy_vector;
        instruction.vector = static_cast<std::uint8_t>(from);
    }
}

namespace {

// Of loop, jrcxz and xbegin, which ask something else, one that bounds nothing.
Condition condition_of(const ZydisDecodedInstruction& decoded) {
    const bool is_short = decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (decoded.opcode & 0xF0U) == 0x70;
    const bool is_near = decoded.opcode_map == ZYDIS_OPCODE_MAP_0F && (decoded.opcode & 0xF0U) == 0x80;
    return is_short || is_near ? static_cast<Condition>(decoded.opcode & 0x0FU) : Condition::greater;
}

}  // namespace

void model_flow(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    const ZydisDecodedOperand& first = operands[0];
    const auto read_target = [&] {
        if (decoded.operand_count_visible > 0 && first.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && first.imm.is_relative) {
            instruction.is_direct = true;
            instruction.target = instruction.address + decoded.length + static_cast<std::uint64_t>(first.imm.value.s);
        } else if (decoded.operand_count_visible > 0 && is_register(first)) {
            instruction.source = general_register(first.reg.value);
        }
    };
    switch (decoded.meta.category) {
        case ZYDIS_CATEGORY_CALL:
            instruction.action = Action::call;
            read_target();
            return;
        case ZYDIS_CATEGORY_UNCOND_BR:
            instruction.action = Action::jump;
            read_target();
            return;
        case ZYDIS_CATEGORY_COND_BR:
            instruction.action = Action::branch;
            instruction.condition = condition_of(decoded);
            read_target();
            return;
        case ZYDIS_CATEGORY_RET:
            instruction.action = Action::ret;
            instruction.constant = decoded.operand_count_visible > 0 && first.type == ZYDIS_OPERAND_TYPE_IMMEDIATE
                                       ? static_cast<std::int64_t>(first.imm.value.u)
                                       : 0;
            return;
        default:
            break;
    }
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_UD0:
        case ZYDIS_MNEMONIC_UD1:
        case ZYDIS_MNEMONIC_UD2:
        case ZYDIS_MNEMONIC_INT3:
        case ZYDIS_MNEMONIC_HLT:
            instruction.action = Action::trap;
            break;
        case ZYDIS_MNEMONIC_SYSCALL:
            instruction.is_system_call = true;
            break;
        case ZYDIS_MNEMONIC_INT:  // int 29h is Windows' __fastfail
            instruction.action = first.imm.value.u == 0x29 ? Action::trap : Action::other;
            break;
        default:
            break;
    }
}

void model_stack(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    const ZydisDecodedOperand& first = operands[0];
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_PUSH:
            instruction.action = is_whole_register(first) ? Action::push : Action::push_other;
            instruction.source = is_whole_register(first) ? general_register(first.reg.value) : Register::none;
            if (instruction.action == Action::push) {
                instruction.reads = {};  // a push for alignment reads nothing that counts
            }
            break;
        case ZYDIS_MNEMONIC_PUSHF:
        case ZYDIS_MNEMONIC_PUSHFQ:
            instruction.action = Action::push_flags;
            break;
        case ZYDIS_MNEMONIC_POP:
            instruction.action = is_whole_register(first) ? Action::pop : Action::pop_other;
            instruction.destination = is_whole_register(first) ? general_register(first.reg.value) : Register::none;
            break;
        case ZYDIS_MNEMONIC_POPF:
        case ZYDIS_MNEMONIC_POPFQ:
            instruction.action = Action::pop_other;
            instruction.restores_flags = true;
            break;
        case ZYDIS_MNEMONIC_LEAVE:
            instruction.action = Action::leave;
            break;
        case ZYDIS_MNEMONIC_INC:
        case ZYDIS_MNEMONIC_DEC:
            if (is_whole_register(first)) {
                instruction.action = Action::add;
                instruction.destination = general_register(first.reg.value);
                instruction.constant = decoded.mnemonic == ZYDIS_MNEMONIC_INC ? 1 : -1;
            }
            break;
        case ZYDIS_MNEMONIC_CDQE:  // movsxd rax, eax: Microsoft's compiler puts it in front of a jump table
            instruction.action = Action::copy_low;
            instruction.destination = Register::rax;
            instruction.source = Register::rax;
            instruction.width = 32;
            break;
        default:
            break;
    }
}

}  // namespace nasm_build::inspect::abi
