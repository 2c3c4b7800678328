// What the files that read Zydis' word on an instruction share. No other file of the verifier names Zydis.
#pragma once

#include <Zydis/Zydis.h>

#include <array>

#include "inspect/abi/instruction.hpp"

namespace nasm_build::inspect::abi {

using Operands = std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT>;

/// `none` for a register that is no general one; of a part the whole.
[[nodiscard]] Register general_register(ZydisRegister one);
/// -1 for a register that is no vector register; those above 15 are volatile in both conventions.
[[nodiscard]] int vector_register(ZydisRegister one);
[[nodiscard]] bool is_register(const ZydisDecodedOperand& operand);
/// All 64 bits of a general one.
[[nodiscard]] bool is_whole_register(const ZydisDecodedOperand& operand);
/// Not ah, ch, dh, bh.
[[nodiscard]] bool is_low_part(const ZydisDecodedOperand& operand);

// In idioms.cpp: what looks like a read or a write, and is none that counts.

/// One register twice, whose old value does not count; or with a constant that decides the result.
[[nodiscard]] bool is_idiom(const ZydisDecodedInstruction& decoded, const Operands& operands);
/// Instructions on one number that leave the rest of their vector register as it was: who writes them takes no notice of it.
[[nodiscard]] bool merges(ZydisMnemonic mnemonic);
/// What an instruction names and does not look at: cpuid has no use for ecx in most of its leaves, and a rotation by a constant only
/// moves bits (valgrind's marks turn rdi round by 128 of them).
[[nodiscard]] bool is_not_looked_at(const ZydisDecodedInstruction& decoded, const Operands& operands, unsigned index);
/// A fence (`lock or qword [rsp], 0`) or a probe of the stack (`or qword [rsp - 4096], 0`): memory is as it was.
[[nodiscard]] bool leaves_memory_alone(const ZydisDecodedInstruction& decoded, const Operands& operands);

// In model.cpp: what the verifier models exactly.

void model_two(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction);
void model_vector(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction);
void model_flow(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction);
void model_stack(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction);

// In modes.cpp: flags, and the modes of floating point.

void note_floating(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction);
void note_flags(const ZydisDecodedInstruction& decoded, const Operands& operands, Instruction& instruction);
void note_modes(const ZydisDecodedInstruction& decoded, Instruction& instruction);

}  // namespace nasm_build::inspect::abi
