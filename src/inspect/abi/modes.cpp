// What an instruction does to flags, to the modes of floating point and to the upper halves of vector registers.
#include <optional>

#include "inspect/abi/zydis.hpp"

namespace nasm_build::inspect::abi {

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
        const std::uint32_t written = flags->modified | flags->set_0 | flags->set_1 | flags->undefined;
        instruction.writes_flags = (written & arithmetic) != 0;
        instruction.leaves_carry = instruction.writes_flags && (written & ZYDIS_CPUFLAG_CF) == 0;
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

}  // namespace nasm_build::inspect::abi
