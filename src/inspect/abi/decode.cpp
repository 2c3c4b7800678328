// Zydis' word on an instruction, made into an Instruction. No other file of the verifier names Zydis.
#include <Zydis/Zydis.h>

#include <array>

#include "inspect/abi/instruction.hpp"

namespace nasm_build::inspect::abi {

namespace {

using Operands = std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT>;

const ZydisDecoder& decoder() {
    static const ZydisDecoder made = [] {
        ZydisDecoder one;
        ZydisDecoderInit(&one, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        return one;
    }();
    return made;
}

Register general_register(ZydisRegister one) {
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, one);
    if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64) {
        return Register::none;
    }
    return static_cast<Register>(ZydisRegisterGetId(whole));
}

// -1 for a register that is no vector register; those above 15 are volatile in both conventions.
int vector_register(ZydisRegister one) {
    const ZydisRegisterClass kind = ZydisRegisterGetClass(one);
    const bool is_vector = kind == ZYDIS_REGCLASS_XMM || kind == ZYDIS_REGCLASS_YMM || kind == ZYDIS_REGCLASS_ZMM;
    return is_vector ? ZydisRegisterGetId(one) : -1;
}

bool is_register(const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER;
}

bool is_whole_register(const ZydisDecodedOperand& operand) {
    return is_register(operand) && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_GPR64;
}

// Not ah, ch, dh, bh.
bool is_low_part(const ZydisDecodedOperand& operand) {
    return is_register(operand) && general_register(operand.reg.value) != Register::none &&
           !(operand.reg.value >= ZYDIS_REGISTER_AH && operand.reg.value <= ZYDIS_REGISTER_BH);
}

// One register twice, whose old value does not count; or with a constant that decides the result.
bool is_idiom(const ZydisDecodedInstruction& decoded, const Operands& operands) {
    if (decoded.operand_count_visible < 2 || !is_register(operands[0])) {
        return false;
    }
    const bool is_same = is_register(operands[1]) && operands[0].reg.value == operands[1].reg.value;
    const bool is_number = operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_XOR:
        case ZYDIS_MNEMONIC_SUB:
        case ZYDIS_MNEMONIC_SBB:
        case ZYDIS_MNEMONIC_PXOR:
        case ZYDIS_MNEMONIC_XORPS:
        case ZYDIS_MNEMONIC_XORPD:
        case ZYDIS_MNEMONIC_PSUBB:
        case ZYDIS_MNEMONIC_PSUBW:
        case ZYDIS_MNEMONIC_PSUBD:
        case ZYDIS_MNEMONIC_PSUBQ:
        case ZYDIS_MNEMONIC_PCMPEQB:
        case ZYDIS_MNEMONIC_PCMPEQW:
        case ZYDIS_MNEMONIC_PCMPEQD:
        case ZYDIS_MNEMONIC_PCMPEQQ:
            return is_same;
        case ZYDIS_MNEMONIC_VPXOR:
        case ZYDIS_MNEMONIC_VPXORD:
        case ZYDIS_MNEMONIC_VPXORQ:
        case ZYDIS_MNEMONIC_VXORPS:
        case ZYDIS_MNEMONIC_VXORPD:
        case ZYDIS_MNEMONIC_VPCMPEQB:
        case ZYDIS_MNEMONIC_VPCMPEQW:
        case ZYDIS_MNEMONIC_VPCMPEQD:
        case ZYDIS_MNEMONIC_VPCMPEQQ:
        case ZYDIS_MNEMONIC_VPTERNLOGD:
        case ZYDIS_MNEMONIC_VPTERNLOGQ:
            return is_register(operands[1]) && is_register(operands[2]) &&
                   operands[1].reg.value == operands[2].reg.value;
        case ZYDIS_MNEMONIC_OR:
            return is_number && operands[1].imm.value.s == -1;
        case ZYDIS_MNEMONIC_AND:
            return is_number && operands[1].imm.value.s == 0;
        default:
            return false;
    }
}

// What decides no result: cpuid looks at ecx for a few leaves alone, and compilers set eax alone for the others; a rotation moves
// bits that nobody may look at (valgrind marks its requests with four that undo each other).
RegisterSet reads_that_do_not_count(const ZydisDecodedInstruction& decoded, const Operands& operands) {
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_CPUID:
            return RegisterSet::of(Register::rcx);
        case ZYDIS_MNEMONIC_ROL:
        case ZYDIS_MNEMONIC_ROR:
            return is_register(operands[0]) && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE
                       ? RegisterSet::of(general_register(operands[0].reg.value))
                       : RegisterSet();
        default:
            return {};
    }
}

// Instructions on one number that leave the rest of their vector register as it was: who writes them takes no notice of it.
bool merges(ZydisMnemonic mnemonic) {
    switch (mnemonic) {
        case ZYDIS_MNEMONIC_CVTSI2SD:
        case ZYDIS_MNEMONIC_CVTSI2SS:
        case ZYDIS_MNEMONIC_CVTSD2SS:
        case ZYDIS_MNEMONIC_CVTSS2SD:
        case ZYDIS_MNEMONIC_SQRTSD:
        case ZYDIS_MNEMONIC_SQRTSS:
        case ZYDIS_MNEMONIC_RCPSS:
        case ZYDIS_MNEMONIC_RSQRTSS:
        case ZYDIS_MNEMONIC_ROUNDSD:
        case ZYDIS_MNEMONIC_ROUNDSS:
        case ZYDIS_MNEMONIC_MOVSD:
        case ZYDIS_MNEMONIC_MOVSS:
        case ZYDIS_MNEMONIC_MOVHPS:
        case ZYDIS_MNEMONIC_MOVHPD:
        case ZYDIS_MNEMONIC_MOVLPS:
        case ZYDIS_MNEMONIC_MOVLPD:
        case ZYDIS_MNEMONIC_VCVTSI2SD:
        case ZYDIS_MNEMONIC_VCVTSI2SS:
        case ZYDIS_MNEMONIC_VCVTSD2SS:
        case ZYDIS_MNEMONIC_VCVTSS2SD:
        case ZYDIS_MNEMONIC_VCVTUSI2SD:
        case ZYDIS_MNEMONIC_VCVTUSI2SS:
        case ZYDIS_MNEMONIC_VSQRTSD:
        case ZYDIS_MNEMONIC_VSQRTSS:
        case ZYDIS_MNEMONIC_VROUNDSD:
        case ZYDIS_MNEMONIC_VROUNDSS:
        case ZYDIS_MNEMONIC_VRNDSCALESD:
        case ZYDIS_MNEMONIC_VRNDSCALESS:
        case ZYDIS_MNEMONIC_PINSRB:
        case ZYDIS_MNEMONIC_PINSRW:
        case ZYDIS_MNEMONIC_PINSRD:
        case ZYDIS_MNEMONIC_PINSRQ:
        case ZYDIS_MNEMONIC_INSERTPS:
        case ZYDIS_MNEMONIC_VINSERTF128:
        case ZYDIS_MNEMONIC_VINSERTI128:
        case ZYDIS_MNEMONIC_VINSERTF32X4:
        case ZYDIS_MNEMONIC_VINSERTF32X8:
        case ZYDIS_MNEMONIC_VINSERTF64X2:
        case ZYDIS_MNEMONIC_VINSERTF64X4:
        case ZYDIS_MNEMONIC_VINSERTI32X4:
        case ZYDIS_MNEMONIC_VINSERTI32X8:
        case ZYDIS_MNEMONIC_VINSERTI64X2:
        case ZYDIS_MNEMONIC_VINSERTI64X4:
        // What the mask leaves out of a gather; the mask that compilers give leaves out nothing.
        case ZYDIS_MNEMONIC_VGATHERDPD:
        case ZYDIS_MNEMONIC_VGATHERDPS:
        case ZYDIS_MNEMONIC_VGATHERQPD:
        case ZYDIS_MNEMONIC_VGATHERQPS:
        case ZYDIS_MNEMONIC_VPGATHERDD:
        case ZYDIS_MNEMONIC_VPGATHERDQ:
        case ZYDIS_MNEMONIC_VPGATHERQD:
        case ZYDIS_MNEMONIC_VPGATHERQQ:
            return true;
        default:
            return false;
    }
}

void note_register(const ZydisDecodedOperand& operand, bool is_idiom, Instruction& instruction) {
    const Register general = general_register(operand.reg.value);
    const int vector = vector_register(operand.reg.value);
    const bool reads = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0 && !is_idiom;
    const bool writes = (operand.actions & ZYDIS_OPERAND_ACTION_WRITE) != 0;
    const bool writes_perhaps = (operand.actions & ZYDIS_OPERAND_ACTION_CONDWRITE) != 0;
    if (general != Register::none) {
        if (reads) {
            instruction.reads.add(general);
        }
        const bool is_narrow = operand.size < 32;
        if ((writes && is_narrow) || writes_perhaps) {
            instruction.partial_writes.add(general);
        } else if (writes) {
            instruction.writes.add(general);
            if (operand.size == 32) {
                instruction.writes_32.add(general);
            }
        }
    } else if (vector >= 0 && vector < 16) {
        const auto number = static_cast<unsigned>(vector);
        if (reads) {
            instruction.vector_reads.add(number);
        }
        if (writes || writes_perhaps) {
            instruction.vector_writes.add(number);
        }
    }
}

void note_memory(const ZydisDecodedOperand& operand, Instruction& instruction) {
    const auto& stated = operand.mem;
    Memory memory;
    memory.is_used = stated.type == ZYDIS_MEMOP_TYPE_MEM;
    memory.is_segment = stated.segment == ZYDIS_REGISTER_FS || stated.segment == ZYDIS_REGISTER_GS;
    memory.size = static_cast<std::uint8_t>(operand.size / 8 > 255 ? 255 : operand.size / 8);
    memory.scale = stated.scale;
    memory.displacement = stated.disp.has_displacement ? stated.disp.value : 0;
    memory.is_read = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
    memory.is_written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    if (stated.base == ZYDIS_REGISTER_RIP) {
        memory.displacement += static_cast<std::int64_t>(instruction.address) + instruction.length;
    } else {
        memory.base = general_register(stated.base);
        memory.index = general_register(stated.index);
    }
    for (const Register one : {memory.base, memory.index}) {
        if (one != Register::none) {
            instruction.reads.add(one);
        }
    }
    if (!instruction.memory.is_used || memory.is_used) {
        instruction.memory = memory;
    }
}

// The hidden stack of push, pop, call and ret is the action's own.
bool has_own_stack(ZydisMnemonic mnemonic) {
    switch (mnemonic) {
        case ZYDIS_MNEMONIC_PUSH:
        case ZYDIS_MNEMONIC_PUSHF:
        case ZYDIS_MNEMONIC_PUSHFQ:
        case ZYDIS_MNEMONIC_POP:
        case ZYDIS_MNEMONIC_POPF:
        case ZYDIS_MNEMONIC_POPFQ:
        case ZYDIS_MNEMONIC_CALL:
        case ZYDIS_MNEMONIC_RET:
        case ZYDIS_MNEMONIC_LEAVE:
            return true;
        default:
            return false;
    }
}

// What an instruction names and does not look at: cpuid has no use for ecx in most of its leaves, and a rotation by a constant
// only moves bits (valgrind's marks turn rdi round by 128 of them).
bool is_not_looked_at(const ZydisDecodedInstruction& decoded, const Operands& operands, unsigned index) {
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_CPUID:
            return operands.at(index).reg.value == ZYDIS_REGISTER_ECX;
        case ZYDIS_MNEMONIC_ROL:
        case ZYDIS_MNEMONIC_ROR:
            return index == 0 && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
        default:
            return false;
    }
}

void note_operands(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    const bool idiom = is_idiom(decoded, operands);
    const bool own_stack = has_own_stack(decoded.mnemonic);
    for (unsigned index = 0; index < decoded.operand_count; ++index) {
        const ZydisDecodedOperand& operand = operands.at(index);
        const bool is_hidden = operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
        if (is_hidden && own_stack) {
            continue;
        }
        // The last operand is what such an instruction is about.
        const bool is_rest = index + 1 < decoded.operand_count_visible && merges(decoded.mnemonic);
        if (is_register(operand)) {
            note_register(operand, idiom || is_rest || is_not_looked_at(decoded, operands, index), instruction);
        } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
            note_memory(operand, instruction);
        }
    }
}

// A fence (`lock or qword [rsp], 0`) or a probe of the stack (`or qword [rsp - 4096], 0`): memory is as it was.
bool leaves_memory_alone(const ZydisDecodedInstruction& decoded, const Operands& operands) {
    const bool is_number = decoded.operand_count_visible == 2 && operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
                           operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_ADD:
        case ZYDIS_MNEMONIC_OR:
        case ZYDIS_MNEMONIC_SUB:
        case ZYDIS_MNEMONIC_XOR:
            return is_number && operands[1].imm.value.s == 0;
        case ZYDIS_MNEMONIC_AND:
            return is_number && operands[1].imm.value.s == -1;
        default:
            return false;
    }
}

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
            instruction.asks_for_zero = to_whole && is_whole_register(from) && to.reg.value == from.reg.value;
            break;
        case ZYDIS_MNEMONIC_XCHG:
            if (to_whole && is_whole_register(from)) {
                instruction.action = Action::exchange;
            } else if (to.type == ZYDIS_OPERAND_TYPE_MEMORY && is_whole_register(from)) {
                instruction.action = Action::exchange;
                instruction.destination = instruction.source;
                instruction.source = Register::none;
            } else if (to_whole && from.type == ZYDIS_OPERAND_TYPE_MEMORY) {
                instruction.action = Action::exchange;
            }
            break;
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

// Legacy SSE instructions on 16 bytes of memory fault at other addresses, but for those that are made for them; of AVX's only
// the aligned moves do.
bool needs_alignment(const ZydisDecodedInstruction& decoded, const Instruction& instruction) {
    const unsigned size = instruction.memory.size;
    if (!instruction.memory.is_used || (size != 16 && size != 32 && size != 64)) {
        return false;
    }
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_MOVUPS:
        case ZYDIS_MNEMONIC_MOVUPD:
        case ZYDIS_MNEMONIC_MOVDQU:
        case ZYDIS_MNEMONIC_LDDQU:
        case ZYDIS_MNEMONIC_PCMPESTRI:
        case ZYDIS_MNEMONIC_PCMPESTRM:
        case ZYDIS_MNEMONIC_PCMPISTRI:
        case ZYDIS_MNEMONIC_PCMPISTRM:
            return false;
        case ZYDIS_MNEMONIC_VMOVAPS:
        case ZYDIS_MNEMONIC_VMOVAPD:
        case ZYDIS_MNEMONIC_VMOVDQA:
        case ZYDIS_MNEMONIC_VMOVDQA32:
        case ZYDIS_MNEMONIC_VMOVDQA64:
        case ZYDIS_MNEMONIC_CMPXCHG16B:
            return true;
        default:
            break;
    }
    const bool is_vector = !(instruction.vector_reads.empty() && instruction.vector_writes.empty());
    return decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY && is_vector && size == 16;
}

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
            instruction.condition = static_cast<Condition>(decoded.opcode & 0x0FU);
            if (decoded.opcode >= 0xE0 && decoded.opcode <= 0xE3 && decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT) {
                instruction.condition = static_cast<Condition>(15);  // loop, jrcxz: bounds nothing
            }
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

void note_floating(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    switch (decoded.mnemonic) {
        case ZYDIS_MNEMONIC_STMXCSR:
        case ZYDIS_MNEMONIC_VSTMXCSR:
            instruction.control = FloatingControl::save_mxcsr;
            break;
        case ZYDIS_MNEMONIC_LDMXCSR:
        case ZYDIS_MNEMONIC_VLDMXCSR:
            instruction.control = FloatingControl::load_mxcsr;
            break;
        case ZYDIS_MNEMONIC_FNSTCW:
            instruction.control = FloatingControl::save_x87;
            break;
        case ZYDIS_MNEMONIC_FLDCW:
            instruction.control = FloatingControl::load_x87;
            break;
        case ZYDIS_MNEMONIC_FNINIT:
            instruction.control = FloatingControl::reset_x87;
            break;
        case ZYDIS_MNEMONIC_EMMS:
        case ZYDIS_MNEMONIC_FEMMS:
            instruction.clears_mmx = true;
            return;
        default:
            break;
    }
    for (unsigned index = 0; index < decoded.operand_count_visible; ++index) {
        const ZydisDecodedOperand& operand = operands.at(index);
        const bool is_written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
        if (!is_register(operand) || !is_written) {
            continue;
        }
        const ZydisRegisterClass kind = ZydisRegisterGetClass(operand.reg.value);
        const bool is_wide = kind == ZYDIS_REGCLASS_YMM || kind == ZYDIS_REGCLASS_ZMM;
        instruction.uses_upper = instruction.uses_upper || (is_wide && vector_register(operand.reg.value) < 16);
        instruction.uses_mmx = instruction.uses_mmx || kind == ZYDIS_REGCLASS_MMX;
    }
}

void note_flags(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction) {
    constexpr std::uint32_t arithmetic =
        ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF;
    if (const ZydisAccessedFlags* const flags = decoded.cpu_flags; flags != nullptr) {
        // `repne scasb` asks the flag that it set itself.
        const bool is_own =
            instruction.action == Action::push_flags || decoded.meta.category == ZYDIS_CATEGORY_STRINGOP;
        instruction.reads_flags = (flags->tested & arithmetic) != 0 && !is_own && !is_idiom(decoded, operands);
        instruction.writes_flags =
            ((flags->modified | flags->set_0 | flags->set_1 | flags->undefined) & arithmetic) != 0;
    }
    constexpr std::uint64_t direction = 0x400;
    const bool is_on_memory = decoded.operand_count_visible == 2 && operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
                              operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    if (is_on_memory && decoded.mnemonic == ZYDIS_MNEMONIC_OR && (operands[1].imm.value.u & direction) != 0) {
        instruction.touches_direction_bit = true;
    } else if (is_on_memory && decoded.mnemonic == ZYDIS_MNEMONIC_AND && (operands[1].imm.value.u & direction) == 0) {
        instruction.touches_direction_bit = false;
    }
}

void note_modes(const ZydisDecodedInstruction& decoded, Instruction& instruction) {
    instruction.is_endbr = decoded.mnemonic == ZYDIS_MNEMONIC_ENDBR64;
    instruction.clears_upper =
        decoded.mnemonic == ZYDIS_MNEMONIC_VZEROUPPER || decoded.mnemonic == ZYDIS_MNEMONIC_VZEROALL;
    instruction.sets_direction = decoded.mnemonic == ZYDIS_MNEMONIC_STD;
    instruction.clears_direction = decoded.mnemonic == ZYDIS_MNEMONIC_CLD;
    // Zydis gives both no operands; vzeroupper leaves the low halves as they are.
    if (decoded.mnemonic == ZYDIS_MNEMONIC_VZEROUPPER) {
        instruction.vector_writes = {};
    } else if (decoded.mnemonic == ZYDIS_MNEMONIC_VZEROALL) {
        instruction.vector_writes = RegisterSet::vectors(0, 15);
    }
    instruction.is_padding =
        decoded.meta.category == ZYDIS_CATEGORY_NOP || decoded.meta.category == ZYDIS_CATEGORY_WIDENOP;
}

}  // namespace

bool decode(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction) {
    ZydisDecodedInstruction decoded;
    Operands operands;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &decoded, operands.data()))) {
        return false;
    }
    instruction = {};
    instruction.address = address;
    instruction.length = decoded.length;
    note_operands(decoded, operands, instruction);
    instruction.reads = instruction.reads.without(reads_that_do_not_count(decoded, operands));
    if (leaves_memory_alone(decoded, operands)) {
        instruction.is_probe = true;
        instruction.memory.is_read = instruction.memory.is_written = false;
    }
    if (decoded.operand_count_visible == 2) {
        model_two(decoded, operands, instruction);
        model_vector(decoded, operands, instruction);
    }
    model_stack(decoded, operands, instruction);
    model_flow(decoded, operands, instruction);
    instruction.needs_alignment = needs_alignment(decoded, instruction);
    note_floating(decoded, operands, instruction);
    note_flags(decoded, operands, instruction);
    note_modes(decoded, instruction);
    return true;
}

}  // namespace nasm_build::inspect::abi
