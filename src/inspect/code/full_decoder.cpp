#include "inspect/code/full_decoder.hpp"

#include <Zydis/Zydis.h>

namespace nasm_build::inspect::code {

namespace {

struct Needs {
    Feature feature = Feature::baseline;
    Feature encoding = Feature::baseline;
};

// What older processors take for a nop, or run as another instruction with the same result, asks nothing of them: ENDBR and
// RDSSP (CET), BND prefixes (MPX), prefetches, CLDEMOTE. TZCNT is decoded by them as BSF, which compilers rely on.
Needs needs_of(ZydisISASet set) {
    switch (set) {
        case ZYDIS_ISA_SET_CMPXCHG16B:
            return {Feature::cx16};
        case ZYDIS_ISA_SET_LAHF:
            return {Feature::sahf};
        case ZYDIS_ISA_SET_POPCNT:
            return {Feature::popcnt};
        case ZYDIS_ISA_SET_SSE3:
        case ZYDIS_ISA_SET_SSE3X87:
            return {Feature::sse3};
        case ZYDIS_ISA_SET_SSSE3:
        case ZYDIS_ISA_SET_SSSE3MMX:
            return {Feature::ssse3};
        case ZYDIS_ISA_SET_SSE4:
            return {Feature::sse41};
        case ZYDIS_ISA_SET_SSE42:
            return {Feature::sse42};
        case ZYDIS_ISA_SET_AVX:
            return {Feature::avx};
        case ZYDIS_ISA_SET_AVX2:
        case ZYDIS_ISA_SET_AVX2GATHER:
            return {Feature::avx2};
        case ZYDIS_ISA_SET_BMI1:
            return {Feature::bmi1};
        case ZYDIS_ISA_SET_BMI2:
            return {Feature::bmi2};
        case ZYDIS_ISA_SET_F16C:
            return {Feature::f16c, Feature::avx};
        case ZYDIS_ISA_SET_FMA:
            return {Feature::fma, Feature::avx};
        case ZYDIS_ISA_SET_LZCNT:
            return {Feature::lzcnt};
        case ZYDIS_ISA_SET_MOVBE:
            return {Feature::movbe};
        case ZYDIS_ISA_SET_XSAVE:
            return {Feature::xsave};
        case ZYDIS_ISA_SET_XSAVEC:
            return {Feature::xsavec};
        case ZYDIS_ISA_SET_XSAVEOPT:
            return {Feature::xsaveopt};
        case ZYDIS_ISA_SET_AVX512F_128:
        case ZYDIS_ISA_SET_AVX512F_128N:
        case ZYDIS_ISA_SET_AVX512F_256:
        case ZYDIS_ISA_SET_AVX512F_512:
        case ZYDIS_ISA_SET_AVX512F_KOP:
        case ZYDIS_ISA_SET_AVX512F_SCALAR:
            return {Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512BW_128:
        case ZYDIS_ISA_SET_AVX512BW_128N:
        case ZYDIS_ISA_SET_AVX512BW_256:
        case ZYDIS_ISA_SET_AVX512BW_512:
        case ZYDIS_ISA_SET_AVX512BW_KOP:
            return {Feature::avx512bw};
        case ZYDIS_ISA_SET_AVX512CD_128:
        case ZYDIS_ISA_SET_AVX512CD_256:
        case ZYDIS_ISA_SET_AVX512CD_512:
            return {Feature::avx512cd};
        case ZYDIS_ISA_SET_AVX512DQ_128:
        case ZYDIS_ISA_SET_AVX512DQ_128N:
        case ZYDIS_ISA_SET_AVX512DQ_256:
        case ZYDIS_ISA_SET_AVX512DQ_512:
        case ZYDIS_ISA_SET_AVX512DQ_KOP:
        case ZYDIS_ISA_SET_AVX512DQ_SCALAR:
            return {Feature::avx512dq};
        case ZYDIS_ISA_SET_AVX512ER_512:
        case ZYDIS_ISA_SET_AVX512ER_SCALAR:
            return {Feature::avx512er, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512PF_512:
            return {Feature::avx512pf, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_4FMAPS_512:
        case ZYDIS_ISA_SET_AVX512_4FMAPS_SCALAR:
            return {Feature::avx512_4fmaps, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_4VNNIW_512:
            return {Feature::avx512_4vnniw, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_BF16_128:
        case ZYDIS_ISA_SET_AVX512_BF16_256:
        case ZYDIS_ISA_SET_AVX512_BF16_512:
            return {Feature::avx512bf16, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_BITALG_128:
        case ZYDIS_ISA_SET_AVX512_BITALG_256:
        case ZYDIS_ISA_SET_AVX512_BITALG_512:
            return {Feature::avx512bitalg, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_FP16_128:
        case ZYDIS_ISA_SET_AVX512_FP16_128N:
        case ZYDIS_ISA_SET_AVX512_FP16_256:
        case ZYDIS_ISA_SET_AVX512_FP16_512:
        case ZYDIS_ISA_SET_AVX512_FP16_SCALAR:
            return {Feature::avx512fp16, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_GFNI_128:
        case ZYDIS_ISA_SET_AVX512_GFNI_256:
        case ZYDIS_ISA_SET_AVX512_GFNI_512:
            return {Feature::gfni, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_IFMA_128:
        case ZYDIS_ISA_SET_AVX512_IFMA_256:
        case ZYDIS_ISA_SET_AVX512_IFMA_512:
            return {Feature::avx512ifma, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VAES_128:
        case ZYDIS_ISA_SET_AVX512_VAES_256:
        case ZYDIS_ISA_SET_AVX512_VAES_512:
            return {Feature::vaes, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VBMI2_128:
        case ZYDIS_ISA_SET_AVX512_VBMI2_256:
        case ZYDIS_ISA_SET_AVX512_VBMI2_512:
            return {Feature::avx512vbmi2, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VBMI_128:
        case ZYDIS_ISA_SET_AVX512_VBMI_256:
        case ZYDIS_ISA_SET_AVX512_VBMI_512:
            return {Feature::avx512vbmi, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VNNI_128:
        case ZYDIS_ISA_SET_AVX512_VNNI_256:
        case ZYDIS_ISA_SET_AVX512_VNNI_512:
            return {Feature::avx512vnni, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VP2INTERSECT_128:
        case ZYDIS_ISA_SET_AVX512_VP2INTERSECT_256:
        case ZYDIS_ISA_SET_AVX512_VP2INTERSECT_512:
            return {Feature::avx512vp2intersect, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VPCLMULQDQ_128:
        case ZYDIS_ISA_SET_AVX512_VPCLMULQDQ_256:
        case ZYDIS_ISA_SET_AVX512_VPCLMULQDQ_512:
            return {Feature::vpclmulqdq, Feature::avx512f};
        case ZYDIS_ISA_SET_AVX512_VPOPCNTDQ_128:
        case ZYDIS_ISA_SET_AVX512_VPOPCNTDQ_256:
        case ZYDIS_ISA_SET_AVX512_VPOPCNTDQ_512:
            return {Feature::avx512vpopcntdq, Feature::avx512f};
        case ZYDIS_ISA_SET_AVXAES:
            return {Feature::aes, Feature::avx};
        case ZYDIS_ISA_SET_AVX_GFNI:
            return {Feature::gfni, Feature::avx};
        case ZYDIS_ISA_SET_AVX_VNNI:
            return {Feature::avxvnni, Feature::avx2};
        case ZYDIS_ISA_SET_VAES:
            return {Feature::vaes, Feature::avx};
        case ZYDIS_ISA_SET_VPCLMULQDQ:
            return {Feature::vpclmulqdq, Feature::avx};
        case ZYDIS_ISA_SET_FMA4:
            return {Feature::fma4, Feature::avx};
        case ZYDIS_ISA_SET_XOP:
            return {Feature::xop, Feature::avx};
        case ZYDIS_ISA_SET_ADOX_ADCX:
            return {Feature::adx};
        case ZYDIS_ISA_SET_AES:
            return {Feature::aes};
        case ZYDIS_ISA_SET_AMX_BF16:
            return {Feature::amx_bf16};
        case ZYDIS_ISA_SET_AMX_INT8:
            return {Feature::amx_int8};
        case ZYDIS_ISA_SET_AMX_TILE:
            return {Feature::amx_tile};
        case ZYDIS_ISA_SET_AMD3DNOW:
            return {Feature::now3d};
        case ZYDIS_ISA_SET_CLFLUSHOPT:
            return {Feature::clflushopt};
        case ZYDIS_ISA_SET_CLWB:
            return {Feature::clwb};
        case ZYDIS_ISA_SET_CLZERO:
            return {Feature::clzero};
        case ZYDIS_ISA_SET_ENQCMD:
            return {Feature::enqcmd};
        case ZYDIS_ISA_SET_RDWRFSGS:
            return {Feature::fsgsbase};
        case ZYDIS_ISA_SET_GFNI:
            return {Feature::gfni};
        case ZYDIS_ISA_SET_HRESET:
            return {Feature::hreset};
        case ZYDIS_ISA_SET_KEYLOCKER:
        case ZYDIS_ISA_SET_KEYLOCKER_WIDE:
            return {Feature::kl};
        case ZYDIS_ISA_SET_LWP:
            return {Feature::lwp};
        case ZYDIS_ISA_SET_MOVDIR:
            return {Feature::movdiri};
        case ZYDIS_ISA_SET_MONITORX:
            return {Feature::mwaitx};
        case ZYDIS_ISA_SET_PADLOCK_ACE:
        case ZYDIS_ISA_SET_PADLOCK_PHE:
        case ZYDIS_ISA_SET_PADLOCK_PMM:
        case ZYDIS_ISA_SET_PADLOCK_RNG:
            return {Feature::padlock};
        case ZYDIS_ISA_SET_PCLMULQDQ:
            return {Feature::pclmul};
        case ZYDIS_ISA_SET_PKU:
            return {Feature::pku};
        case ZYDIS_ISA_SET_RDPID:
            return {Feature::rdpid};
        case ZYDIS_ISA_SET_RDPRU:
            return {Feature::rdpru};
        case ZYDIS_ISA_SET_RDRAND:
            return {Feature::rdrnd};
        case ZYDIS_ISA_SET_RDSEED:
            return {Feature::rdseed};
        case ZYDIS_ISA_SET_RTM:
            return {Feature::rtm};
        case ZYDIS_ISA_SET_SERIALIZE:
            return {Feature::serialize};
        case ZYDIS_ISA_SET_SGX:
        case ZYDIS_ISA_SET_SGX_ENCLV:
            return {Feature::sgx};
        case ZYDIS_ISA_SET_SHA:
            return {Feature::sha};
        case ZYDIS_ISA_SET_SSE4A:
            return {Feature::sse4a};
        case ZYDIS_ISA_SET_TBM:
            return {Feature::tbm};
        case ZYDIS_ISA_SET_TSX_LDTRK:
            return {Feature::tsxldtrk};
        case ZYDIS_ISA_SET_UINTR:
            return {Feature::uintr};
        case ZYDIS_ISA_SET_WAITPKG:
            return {Feature::waitpkg};
        default:
            return {};
    }
}

bool is_privileged(const ZydisDecodedInstruction& decoded) {
    const std::uint8_t opcode = decoded.opcode;
    if (decoded.opcode_map == ZYDIS_OPCODE_MAP_0F) {
        return opcode == 0x06 || opcode == 0x08 || opcode == 0x09 || (opcode >= 0x20 && opcode <= 0x23) ||
               opcode == 0x30 || opcode == 0x32 || opcode == 0x35 || opcode == 0x78;
    }
    if (decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT) {
        return false;
    }
    return (opcode >= 0x6C && opcode <= 0x6F) || (opcode >= 0xE4 && opcode <= 0xE7) ||
           (opcode >= 0xEC && opcode <= 0xEF) || opcode == 0xFA || opcode == 0xFB;
}

Does does(const ZydisDecodedInstruction& decoded) {
    if (decoded.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) {
        return Does::other;
    }
    const auto& raw = decoded.raw;
    const std::uint8_t opcode = decoded.opcode;
    if (decoded.opcode_map == ZYDIS_OPCODE_MAP_0F &&
        (opcode == 0xA2 || (opcode == 0x01 && raw.modrm.mod == 3 && raw.modrm.reg == 2 && raw.modrm.rm == 0))) {
        return Does::asks_the_processor;
    }
    if (is_privileged(decoded)) {
        return Does::is_privileged;
    }
    if ((decoded.opcode_map == ZYDIS_OPCODE_MAP_0F && opcode == 0x1F) ||
        (decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && opcode == 0x90 && raw.rex.B == 0)) {
        return Does::nothing;
    }
    if (decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || raw.rex.W == 0) {
        return decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && opcode == 0xC8 ? Does::sets_frame : Does::other;
    }
    constexpr std::uint8_t rsp = 4;
    constexpr std::uint8_t rbp = 5;
    const bool registers_alone = raw.modrm.mod == 3 && raw.rex.R == 0 && raw.rex.B == 0;
    const bool stores = opcode == 0x89 && raw.modrm.reg == rsp && raw.modrm.rm == rbp;
    const bool loads = opcode == 0x8B && raw.modrm.reg == rbp && raw.modrm.rm == rsp;
    const bool computes = opcode == 0x8D && raw.modrm.mod != 3 && raw.rex.R == 0 && raw.rex.B == 0 &&
                          raw.modrm.reg == rbp && raw.modrm.rm == rsp && raw.sib.base == rsp && raw.sib.index == rsp;
    return (registers_alone && (stores || loads)) || computes ? Does::sets_frame : Does::other;
}

void read_needs(const ZydisDecodedInstruction& decoded, Instruction& instruction) {
    const Needs needs = needs_of(decoded.meta.isa_set);
    // XGETBV runs where CPUID has said that it may.
    const bool is_free = decoded.mnemonic == ZYDIS_MNEMONIC_TZCNT || instruction.does == Does::asks_the_processor;
    instruction.feature = is_free ? Feature::baseline : needs.feature;
    instruction.encoding = needs.encoding;
}

void read_target(const ZydisDecodedInstruction& decoded, Instruction& instruction) {
    if (decoded.raw.imm[0].is_relative) {
        instruction.is_direct = true;
        instruction.target =
            instruction.address + decoded.length + static_cast<std::uint64_t>(decoded.raw.imm[0].value.s);
    }
}

void read_flow(const ZydisDecodedInstruction& decoded, Instruction& instruction) {
    const std::uint8_t opcode = decoded.opcode;
    if (decoded.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) {
        return;
    }
    if (decoded.opcode_map == ZYDIS_OPCODE_MAP_0F) {
        if (opcode >= 0x80 && opcode <= 0x8F) {
            instruction.flow = Flow::branch;
            read_target(decoded, instruction);
        } else if (opcode == 0x0B || opcode == 0xB9 || opcode == 0xFF) {  // ud2, ud1, ud0
            instruction.flow = Flow::ends;
        }
        return;
    }
    if (decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT) {
        return;
    }
    const auto& modrm = decoded.raw.modrm;
    const bool is_xbegin = opcode == 0xC7 && modrm.mod == 3 && modrm.reg == 7;
    if ((opcode >= 0x70 && opcode <= 0x7F) || (opcode >= 0xE0 && opcode <= 0xE3) || is_xbegin) {
        instruction.flow = Flow::branch;
    } else if (opcode == 0xE8 || (opcode == 0xFF && (modrm.reg == 2 || modrm.reg == 3))) {
        instruction.flow = Flow::call;
    } else if (opcode == 0xE9 || opcode == 0xEB || (opcode == 0xFF && (modrm.reg == 4 || modrm.reg == 5))) {
        instruction.flow = Flow::jump;
    } else if (opcode == 0xC2 || opcode == 0xC3 || opcode == 0xCA || opcode == 0xCB || opcode == 0xCC ||
               opcode == 0xCF || opcode == 0xF1 || opcode == 0xF4) {  // ret, int3, iret, int1, hlt
        instruction.flow = Flow::ends;
    } else if (opcode == 0xCD) {  // int 29h is Windows' __fastfail
        instruction.flow = decoded.raw.imm[0].value.u == 0x29 ? Flow::ends : Flow::next;
    }
    if (instruction.flow != Flow::next && instruction.flow != Flow::ends) {
        read_target(decoded, instruction);
        instruction.is_through_memory = opcode == 0xFF && modrm.mod == 0 && modrm.rm == 5;
    }
}

void read_operands(const ZydisDecodedInstruction& decoded, Instruction& instruction) {
    constexpr std::uint8_t relative_to_rip = 5;
    const auto& raw = decoded.raw;
    if (raw.modrm.offset != 0 && raw.modrm.mod == 0 && raw.modrm.rm == relative_to_rip) {
        instruction.memory = instruction.address + instruction.length + static_cast<std::uint64_t>(raw.disp.value);
    }
    if (raw.imm[0].size != 0 && !raw.imm[0].is_relative) {
        const unsigned unused = 64U - raw.imm[0].size;
        instruction.immediate =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(raw.imm[0].value.u << unused) >> unused);
    }
}

OpcodeMap map_of(const ZydisDecodedInstruction& decoded) {
    const bool is_vex = decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
    if (!is_vex && decoded.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) {
        return OpcodeMap::other;
    }
    switch (decoded.opcode_map) {
        case ZYDIS_OPCODE_MAP_DEFAULT:
            return OpcodeMap::one_byte;
        case ZYDIS_OPCODE_MAP_0F:
            return is_vex ? OpcodeMap::vex_0f : OpcodeMap::after_0f;
        case ZYDIS_OPCODE_MAP_0F38:
            return is_vex ? OpcodeMap::vex_0f38 : OpcodeMap::after_0f38;
        case ZYDIS_OPCODE_MAP_0F3A:
            return is_vex ? OpcodeMap::vex_0f3a : OpcodeMap::after_0f3a;
        default:
            return OpcodeMap::other;
    }
}

void read_encoding(const ZydisDecodedInstruction& decoded, Encoding& encoding) {
    const auto& raw = decoded.raw;
    encoding = {};
    encoding.opcode = decoded.opcode;
    encoding.has_modrm = raw.modrm.offset != 0;
    encoding.immediate_size = static_cast<std::uint8_t>(raw.imm[0].size / 8);
    encoding.has_more = raw.imm[1].size != 0 || (!encoding.has_modrm && raw.disp.size != 0);
    encoding.map = map_of(decoded);
}

}  // namespace

struct FullDecoder::State {
    ZydisDecoder decoder{};
};

FullDecoder::FullDecoder() : state_(std::make_unique<State>()) {
    ZydisDecoderInit(&state_->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

FullDecoder::~FullDecoder() = default;

bool FullDecoder::decode(std::span<const std::byte> bytes, std::uint64_t address, Instruction& instruction,
                         Encoding& encoding) const {
    ZydisDecodedInstruction decoded;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&state_->decoder, nullptr, bytes.data(), bytes.size(), &decoded))) {
        return false;
    }
    instruction = {};
    instruction.address = address;
    instruction.length = decoded.length;
    instruction.does = does(decoded);
    read_needs(decoded, instruction);
    read_flow(decoded, instruction);
    read_operands(decoded, instruction);
    read_encoding(decoded, encoding);
    return true;
}

std::string FullDecoder::mnemonic(std::span<const std::byte> bytes) const {
    ZydisDecodedInstruction decoded;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&state_->decoder, nullptr, bytes.data(), bytes.size(), &decoded))) {
        return {};
    }
    const char* const name = ZydisMnemonicGetString(decoded.mnemonic);
    return name == nullptr ? std::string() : std::string(name);
}

}  // namespace nasm_build::inspect::code
