// What looks like a read or a write of an instruction, and is none that counts.
#include "inspect/abi/zydis.hpp"

namespace nasm_build::inspect::abi {

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

}  // namespace nasm_build::inspect::abi
