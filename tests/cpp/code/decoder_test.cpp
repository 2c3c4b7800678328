// What instructions are taken for: the feature that each needs, where control goes, and what a scan asks by name. The bytes are
// NASM's.
#include "inspect/code/decoder.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace nasm_build::inspect::code {
namespace {

struct Encoded {
    const char* text;
    std::vector<unsigned char> bytes;
    Feature feature;
    Feature encoding;
};

std::span<const std::byte> bytes_of(const std::vector<unsigned char>& bytes) {
    return std::as_bytes(std::span(bytes));
}

Instruction decoded(const std::vector<unsigned char>& bytes, std::uint64_t address = 0x1000) {
    Instruction instruction;
    EXPECT_TRUE(Decoder().decode(bytes_of(bytes), address, instruction));
    return instruction;
}

const std::vector<Encoded> encoded = {
    {"cmpxchg16b [rdi]", {0x48, 0x0F, 0xC7, 0x0F}, Feature::cx16, Feature::baseline},
    {"lahf", {0x9F}, Feature::sahf, Feature::baseline},
    {"popcnt eax, ecx", {0xF3, 0x0F, 0xB8, 0xC1}, Feature::popcnt, Feature::baseline},
    {"addsubps xmm0, xmm1", {0xF2, 0x0F, 0xD0, 0xC1}, Feature::sse3, Feature::baseline},
    {"fisttp dword [rdi]", {0xDB, 0x0F}, Feature::sse3, Feature::baseline},
    {"pshufb xmm0, xmm1", {0x66, 0x0F, 0x38, 0x00, 0xC1}, Feature::ssse3, Feature::baseline},
    {"pabsb mm0, mm1", {0x0F, 0x38, 0x1C, 0xC1}, Feature::ssse3, Feature::baseline},
    {"pmulld xmm0, xmm1", {0x66, 0x0F, 0x38, 0x40, 0xC1}, Feature::sse41, Feature::baseline},
    {"crc32 eax, cl", {0xF2, 0x0F, 0x38, 0xF0, 0xC1}, Feature::sse42, Feature::baseline},
    {"pcmpgtq xmm0, xmm1", {0x66, 0x0F, 0x38, 0x37, 0xC1}, Feature::sse42, Feature::baseline},
    {"vaddps ymm0, ymm1, ymm2", {0xC5, 0xF4, 0x58, 0xC2}, Feature::avx, Feature::baseline},
    {"vpaddb ymm0, ymm1, ymm2", {0xC5, 0xF5, 0xFC, 0xC2}, Feature::avx2, Feature::baseline},
    {"vpgatherdd ymm0, [rdi+ymm1*4], ymm2", {0xC4, 0xE2, 0x6D, 0x90, 0x04, 0x8F}, Feature::avx2, Feature::baseline},
    {"andn eax, ecx, edx", {0xC4, 0xE2, 0x70, 0xF2, 0xC2}, Feature::bmi1, Feature::baseline},
    {"blsr eax, ecx", {0xC4, 0xE2, 0x78, 0xF3, 0xC9}, Feature::bmi1, Feature::baseline},
    {"pdep eax, ecx, edx", {0xC4, 0xE2, 0x73, 0xF5, 0xC2}, Feature::bmi2, Feature::baseline},
    {"shlx eax, ecx, edx", {0xC4, 0xE2, 0x69, 0xF7, 0xC1}, Feature::bmi2, Feature::baseline},
    {"vcvtph2ps xmm0, xmm1", {0xC4, 0xE2, 0x79, 0x13, 0xC1}, Feature::f16c, Feature::avx},
    {"vfmadd231ps ymm0, ymm1, ymm2", {0xC4, 0xE2, 0x75, 0xB8, 0xC2}, Feature::fma, Feature::avx},
    {"lzcnt eax, ecx", {0xF3, 0x0F, 0xBD, 0xC1}, Feature::lzcnt, Feature::baseline},
    {"movbe eax, [rdi]", {0x0F, 0x38, 0xF0, 0x07}, Feature::movbe, Feature::baseline},
    {"xsave [rdi]", {0x0F, 0xAE, 0x27}, Feature::xsave, Feature::baseline},
    {"vaddps zmm0, zmm1, zmm2", {0x62, 0xF1, 0x74, 0x48, 0x58, 0xC2}, Feature::avx512f, Feature::baseline},
    {"vaddps ymm16, ymm1, ymm2", {0x62, 0xE1, 0x74, 0x28, 0x58, 0xC2}, Feature::avx512f, Feature::baseline},
    {"kandw k1, k2, k3", {0xC5, 0xEC, 0x41, 0xCB}, Feature::avx512f, Feature::baseline},
    {"vpaddb zmm0, zmm1, zmm2", {0x62, 0xF1, 0x75, 0x48, 0xFC, 0xC2}, Feature::avx512bw, Feature::baseline},
    {"vplzcntd zmm0, zmm1", {0x62, 0xF2, 0x7D, 0x48, 0x44, 0xC1}, Feature::avx512cd, Feature::baseline},
    {"vpmullq zmm0, zmm1, zmm2", {0x62, 0xF2, 0xF5, 0x48, 0x40, 0xC2}, Feature::avx512dq, Feature::baseline},
    {"adcx eax, ecx", {0x66, 0x0F, 0x38, 0xF6, 0xC1}, Feature::adx, Feature::baseline},
    {"aesenc xmm0, xmm1", {0x66, 0x0F, 0x38, 0xDC, 0xC1}, Feature::aes, Feature::baseline},
    {"vaesenc xmm0, xmm1, xmm2", {0xC4, 0xE2, 0x71, 0xDC, 0xC2}, Feature::aes, Feature::avx},
    {"vaesenc ymm0, ymm1, ymm2", {0xC4, 0xE2, 0x75, 0xDC, 0xC2}, Feature::vaes, Feature::avx},
    {"vaesenc zmm0, zmm1, zmm2", {0x62, 0xF2, 0x75, 0x48, 0xDC, 0xC2}, Feature::vaes, Feature::avx512f},
    {"pclmulqdq xmm0, xmm1, 0", {0x66, 0x0F, 0x3A, 0x44, 0xC1, 0x00}, Feature::pclmul, Feature::baseline},
    {"vpclmulqdq zmm0, zmm1, zmm2, 0",
     {0x62, 0xF3, 0x75, 0x48, 0x44, 0xC2, 0x00},
     Feature::vpclmulqdq,
     Feature::avx512f},
    {"sha256rnds2 xmm1, xmm2", {0x0F, 0x38, 0xCB, 0xCA}, Feature::sha, Feature::baseline},
    {"gf2p8mulb xmm0, xmm1", {0x66, 0x0F, 0x38, 0xCF, 0xC1}, Feature::gfni, Feature::baseline},
    {"tdpbssd tmm0, tmm1, tmm2", {0xC4, 0xE2, 0x6B, 0x5E, 0xC1}, Feature::amx_int8, Feature::baseline},
    {"tdpbf16ps tmm0, tmm1, tmm2", {0xC4, 0xE2, 0x6A, 0x5C, 0xC1}, Feature::amx_bf16, Feature::baseline},
    {"tilezero tmm0", {0xC4, 0xE2, 0x7B, 0x49, 0xC0}, Feature::amx_tile, Feature::baseline},
    {"vpopcntd zmm0, zmm1", {0x62, 0xF2, 0x7D, 0x48, 0x55, 0xC1}, Feature::avx512vpopcntdq, Feature::avx512f},
    {"vpopcntb zmm0, zmm1", {0x62, 0xF2, 0x7D, 0x48, 0x54, 0xC1}, Feature::avx512bitalg, Feature::avx512f},
    {"vpdpbusd zmm0, zmm1, zmm2", {0x62, 0xF2, 0x75, 0x48, 0x50, 0xC2}, Feature::avx512vnni, Feature::avx512f},
    {"vpermb zmm0, zmm1, zmm2", {0x62, 0xF2, 0x75, 0x48, 0x8D, 0xC2}, Feature::avx512vbmi, Feature::avx512f},
    {"vpcompressb zmm0{k1}, zmm1", {0x62, 0xF2, 0x7D, 0x49, 0x63, 0xC8}, Feature::avx512vbmi2, Feature::avx512f},
    {"vpmadd52luq zmm0, zmm1, zmm2", {0x62, 0xF2, 0xF5, 0x48, 0xB4, 0xC2}, Feature::avx512ifma, Feature::avx512f},
    {"vcvtne2ps2bf16 zmm0, zmm1, zmm2", {0x62, 0xF2, 0x77, 0x48, 0x72, 0xC2}, Feature::avx512bf16, Feature::avx512f},
    {"vaddph zmm0, zmm1, zmm2", {0x62, 0xF5, 0x74, 0x48, 0x58, 0xC2}, Feature::avx512fp16, Feature::avx512f},
    {"rdrand eax", {0x0F, 0xC7, 0xF0}, Feature::rdrnd, Feature::baseline},
    {"rdseed eax", {0x0F, 0xC7, 0xF8}, Feature::rdseed, Feature::baseline},
    {"xbegin $+6", {0xC7, 0xF8, 0x00, 0x00, 0x00, 0x00}, Feature::rtm, Feature::baseline},
    {"clwb [rdi]", {0x66, 0x0F, 0xAE, 0x37}, Feature::clwb, Feature::baseline},
    {"rdfsbase rax", {0xF3, 0x48, 0x0F, 0xAE, 0xC0}, Feature::fsgsbase, Feature::baseline},
    {"movdiri [rdi], eax", {0x0F, 0x38, 0xF9, 0x07}, Feature::movdiri, Feature::baseline},
    {"extrq xmm0, 1, 2", {0x66, 0x0F, 0x78, 0xC0, 0x01, 0x02}, Feature::sse4a, Feature::baseline},
    {"vfmaddps xmm0, xmm1, xmm2, xmm3", {0xC4, 0xE3, 0x71, 0x68, 0xC2, 0x30}, Feature::fma4, Feature::avx},
    {"mov eax, ecx", {0x89, 0xC8}, Feature::baseline, Feature::baseline},
    {"addps xmm0, xmm1", {0x0F, 0x58, 0xC1}, Feature::baseline, Feature::baseline},
    {"movdqu xmm0, [rdi]", {0xF3, 0x0F, 0x6F, 0x07}, Feature::baseline, Feature::baseline},
    {"tzcnt eax, ecx", {0xF3, 0x0F, 0xBC, 0xC1}, Feature::baseline, Feature::baseline},
    {"bsf eax, ecx", {0x0F, 0xBC, 0xC1}, Feature::baseline, Feature::baseline},
    {"endbr64", {0xF3, 0x0F, 0x1E, 0xFA}, Feature::baseline, Feature::baseline},
    {"pause", {0xF3, 0x90}, Feature::baseline, Feature::baseline},
    {"prefetcht0 [rdi]", {0x0F, 0x18, 0x0F}, Feature::baseline, Feature::baseline},
    {"fld1", {0xD9, 0xE8}, Feature::baseline, Feature::baseline},
    {"cmovz eax, ecx", {0x0F, 0x44, 0xC1}, Feature::baseline, Feature::baseline},
    {"mfence", {0x0F, 0xAE, 0xF0}, Feature::baseline, Feature::baseline},
    {"cvtsi2sd xmm0, rax", {0xF2, 0x48, 0x0F, 0x2A, 0xC0}, Feature::baseline, Feature::baseline},
    {"movntdq [rdi], xmm0", {0x66, 0x0F, 0xE7, 0x07}, Feature::baseline, Feature::baseline},
    {"rdtsc", {0x0F, 0x31}, Feature::baseline, Feature::baseline},
    {"xchg eax, ecx", {0x91}, Feature::baseline, Feature::baseline},
    {"{vex} vpdpbusd ymm0, ymm1, ymm2", {0xC4, 0xE2, 0x75, 0x50, 0xC2}, Feature::avxvnni, Feature::avx2},
};

TEST(Decoder, EachInstructionNeedsItsFeature) {
    const Decoder decoder;
    for (const Encoded& one : encoded) {
        Instruction instruction;
        ASSERT_TRUE(decoder.decode(bytes_of(one.bytes), 0, instruction)) << one.text;
        EXPECT_EQ(name_of(instruction.feature), name_of(one.feature)) << one.text;
        EXPECT_EQ(name_of(instruction.encoding), name_of(one.encoding)) << one.text;
        EXPECT_EQ(instruction.length, one.bytes.size()) << one.text;
    }
}

TEST(Decoder, WhereControlGoes) {
    EXPECT_EQ(decoded({0x90}).flow, Flow::next);
    EXPECT_EQ(decoded({0xC3}).flow, Flow::ends);
    EXPECT_EQ(decoded({0x0F, 0x0B}).flow, Flow::ends);  // ud2
    EXPECT_EQ(decoded({0xCD, 0x29}).flow, Flow::ends);  // int 29h
    EXPECT_EQ(decoded({0xCD, 0x80}).flow, Flow::next);
    const Instruction call = decoded({0xE8, 0x10, 0, 0, 0});
    EXPECT_EQ(call.flow, Flow::call);
    EXPECT_TRUE(call.is_direct);
    EXPECT_EQ(call.target, 0x1015U);
    const Instruction back = decoded({0x75, 0xFE});  // jne $
    EXPECT_EQ(back.flow, Flow::branch);
    EXPECT_EQ(back.target, 0x1000U);
    EXPECT_EQ(decoded({0x0F, 0x84, 0, 1, 0, 0}).target, 0x1106U);  // je
    EXPECT_EQ(decoded({0xEB, 0x02}).flow, Flow::jump);
    const Instruction of_switch = decoded({0xFF, 0xE0});  // jmp rax
    EXPECT_EQ(of_switch.flow, Flow::jump);
    EXPECT_FALSE(of_switch.is_direct || of_switch.is_through_memory);
    const Instruction through_table = decoded({0xFF, 0x25, 0x10, 0, 0, 0});  // jmp [rel $+16]
    EXPECT_TRUE(through_table.is_through_memory);
    EXPECT_EQ(through_table.memory, 0x1016U);
    EXPECT_EQ(decoded({0xC7, 0xF8, 0x04, 0, 0, 0}).flow, Flow::branch);  // xbegin
}

TEST(Decoder, WhatAScanAsksByName) {
    EXPECT_EQ(decoded({0x0F, 0xA2}).does, Does::asks_the_processor);
    EXPECT_EQ(decoded({0x0F, 0x01, 0xD0}).does, Does::asks_the_processor);  // xgetbv
    EXPECT_EQ(decoded({0x0F, 0x01, 0xD0}).feature, Feature::baseline);
    EXPECT_EQ(decoded({0x48, 0x89, 0xE5}).does, Does::sets_frame);  // mov rbp, rsp
    EXPECT_EQ(decoded({0x48, 0x8B, 0xEC}).does, Does::sets_frame);
    EXPECT_EQ(decoded({0x48, 0x8D, 0x6C, 0x24, 0x20}).does, Does::sets_frame);  // lea rbp, [rsp + 32]
    EXPECT_EQ(decoded({0xC8, 0x10, 0, 0}).does, Does::sets_frame);  // enter
    EXPECT_EQ(decoded({0x49, 0x89, 0xE5}).does, Does::other);  // mov r13, rsp
    EXPECT_EQ(decoded({0x48, 0x89, 0xE8}).does, Does::other);  // mov rax, rbp
    EXPECT_EQ(decoded({0x48, 0x8D, 0x6C, 0x04, 0x20}).does, Does::other);  // lea rbp, [rsp + rax + 32]
    EXPECT_EQ(decoded({0x66, 0x90}).does, Does::nothing);
    EXPECT_EQ(decoded({0x0F, 0x1F, 0x40, 0x00}).does, Does::nothing);
    EXPECT_EQ(decoded({0x49, 0x90}).does, Does::other);  // xchg rax, r8
    EXPECT_EQ(decoded({0xEC}).does, Does::is_privileged);  // in al, dx
    EXPECT_EQ(decoded({0x25, 0xF0, 0x3F, 0xFF, 0x0F}).immediate, 0x0FFF3FF0U);  // and eax, 0x0FFF3FF0
}

TEST(Decoder, WhatIsNoInstruction) {
    const Decoder decoder;
    Instruction instruction;
    EXPECT_FALSE(decoder.decode({}, 0, instruction));
    EXPECT_FALSE(decoder.decode(bytes_of({0x06}), 0, instruction));  // push es, which 64-bit code has not
    EXPECT_FALSE(decoder.decode(bytes_of({0xE8, 0x10, 0}), 0, instruction));  // cut
    EXPECT_FALSE(decoder.decode(bytes_of({0x62, 0xF1, 0x7C}), 0, instruction));
    EXPECT_EQ(decoder.mnemonic(bytes_of({0xC5, 0xF4, 0x58, 0xC2})), "vaddps");
    EXPECT_EQ(decoder.mnemonic(bytes_of({0x06})), "");
}

}  // namespace
}  // namespace nasm_build::inspect::code
