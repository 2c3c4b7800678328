// Zydis' word on an instruction, made into an Instruction: what it reads and writes. The other parts stand in files of their own.
#include "inspect/abi/zydis.hpp"

namespace nasm_build::inspect::abi {

Register general_register(ZydisRegister one) {
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, one);
    if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64) {
        return Register::none;
    }
    return static_cast<Register>(ZydisRegisterGetId(whole));
}

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

bool is_low_part(const ZydisDecodedOperand& operand) {
    return is_register(operand) && general_register(operand.reg.value) != Register::none &&
           !(operand.reg.value >= ZYDIS_REGISTER_AH && operand.reg.value <= ZYDIS_REGISTER_BH);
}

namespace {

const ZydisDecoder& decoder() {
    static const ZydisDecoder made = [] {
        ZydisDecoder one;
        ZydisDecoderInit(&one, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        return one;
    }();
    return made;
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
