// What the verifier found: a place, what is wrong there, and how control comes to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inspect/abi/registers.hpp"
#include "inspect/finding.hpp"

namespace nasm_build::inspect::abi {

enum class FaultKind : std::uint8_t {
    callee_saved,  ///< a register that must be left alone is another one at the return
    callee_saved_vector,
    stack_balance,  ///< rsp is not where it was
    direction_flag,  ///< DF is set at a return or a call
    call_align,  ///< rsp is no multiple of 16 at a call
    shadow_space,  ///< the callee's 32 bytes overlap what the caller keeps
    volatile_after_call,  ///< reads a register that a call destroyed
    home_after_call,  ///< reads the stack where a callee may put what it likes
    flags_after_call,  ///< asks flags that a call left in any state
    red_zone,  ///< keeps something below rsp where it may be overwritten
    fallthrough,  ///< runs on into the next function
    return_address,  ///< is written over
    stack_from_register,  ///< rsp is what a register of the caller's was
    unaligned_access,  ///< an access that needs 16 bytes' alignment, to a place of the stack that has it not
    upper_used,  ///< the upper halves of ymm registers are in use at a return or a call
    floating_state,  ///< a control register, or the x87 stack, is not as it was
    stack_probe,  ///< Win64: a page and more of the stack at once
    jump_into_instruction,
    no_endbr,  ///< a module for indirect branch tracking, and a function without the mark
    argument_undefined,  ///< a call takes a register that nobody set
    vector_count,  ///< System V: al, which says how many vector registers hold arguments, was not set
    null_unchecked,  ///< an object that may be NULL is looked into
    without_lock,  ///< CPython is called by a thread that gave its lock away
    raw_reference_count,  ///< an object's count is changed in place
    static_data,  ///< data of the module's own are written
    unwind_missing,  ///< Win64: the function is no leaf, and no table knows it
    unwind_false,  ///< a row of an unwind table says something else of rsp than what is
    unwind_registers,  ///< a row says that a register is saved where it is not
    epilogue,  ///< Win64: no such one as unwinding decodes
    return_elsewhere,  ///< a module for shadow stacks, and a `ret` or a call that does not go with its partner
};

struct Step {
    std::uint64_t address = 0;
    std::string words;  ///< `rbx written here`
    std::string location;  ///< `multiply+0x1c`
    SourceLine source;  ///< without a file where it is not known
};

struct Fault {
    FaultKind kind = FaultKind::callee_saved;
    std::size_t function = 0;  ///< its index in the program
    std::string name;  ///< what the function is called
    std::uint64_t address = 0;  ///< of the instruction at which it shows
    std::string location;  ///< the same for people: `multiply+0x1c`
    SourceLine source;  ///< without a file where it is not known
    Register subject = Register::none;  ///< the register it is about
    std::uint8_t vector = 0;
    std::int64_t amount = 0;  ///< bytes, of the stack
    std::uint8_t size = 0;  ///< bytes, of an access
    std::string callee;  ///< of calls: what is called, or empty
    bool is_doubtful = false;  ///< it holds on one way there, or for some values
    std::string assumes;  ///< an import that must return for it to happen, of which nobody says so
    std::vector<Step> path;  ///< the shortest way there
};

struct NotFollowed {
    std::size_t function = 0;
    std::string name;
    std::uint64_t address = 0;
    std::string reason;  ///< follows "because"
};

/// What a run over a program gave.
struct Verified {
    std::vector<Fault> faults;
    std::vector<NotFollowed> not_followed;
    std::uint64_t functions = 0;
    std::uint64_t instructions = 0;
};

}  // namespace nasm_build::inspect::abi
