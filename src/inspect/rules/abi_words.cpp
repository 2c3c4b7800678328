#include "inspect/rules/abi_words.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "inspect/abi/state.hpp"
#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {

namespace {

using abi::Fault;
using abi::FaultKind;

std::string_view volatile_registers(const Image& image) {
    return image.format == Format::pe ? abi::win64.volatile_names : abi::system_v.volatile_names;
}

// The place at which a register was first given another value on the way, or empty.
std::string first_write(const Fault& fault) {
    const auto found = std::find_if(fault.path.begin(), fault.path.end(),
                                    [](const abi::Step& step) { return step.words.ends_with("written here"); });
    if (found == fault.path.end()) {
        return {};
    }
    return found->source.file.empty() ? found->location : fmt::format("line {}", found->source.line);
}

Told callee_saved(const Fault& fault, const Image& image) {
    const std::string_view name = abi::name_of(fault.subject);
    const std::string place = first_write(fault);
    return {rule::callee_saved, fmt::format("{} returns with {} changed", fault.name, name),
            fmt::format("save {} {} and restore it before the return, or use a volatile register: {}", name,
                        place.empty() ? std::string("first") : "before " + place, volatile_registers(image))};
}

Told callee_saved_vector(const Fault& fault) {
    return {
        rule::callee_saved,
        fmt::format("{} returns with xmm{} changed, which on Windows belongs to its caller", fault.name, fault.vector),
        fmt::format("save all 16 bytes of xmm{} first and restore them before the return, or use xmm0-xmm5",
                    fault.vector)};
}

Told stack_balance(const Fault& fault) {
    if (fault.amount == 0) {
        return {rule::stack_balance,
                fmt::format("{} returns with a stack pointer that depends on the way there", fault.name),
                "give back on each way what that way took: every push has its pop, every `sub rsp` its `add rsp`"};
    }
    const bool is_below = fault.amount < 0;
    const std::int64_t bytes = std::abs(fault.amount);
    return {rule::stack_balance,
            fmt::format("{} returns with rsp {} bytes {} where it was at entry, so that `ret` takes something else for "
                        "its address",
                        fault.name, bytes, is_below ? "below" : "above"),
            is_below
                ? fmt::format("give back {} bytes before the return: a pop or `add rsp, {}` is missing", bytes, bytes)
                : fmt::format("take {} bytes less from the stack: a pop or `add rsp, {}` too many", bytes, bytes)};
}

std::string called(const Fault& fault) {
    return fault.callee.empty() ? "a function through a pointer" : fault.callee;
}

Told direction_flag(const Fault& fault) {
    return {rule::direction_flag,
            fault.callee.empty() ? fmt::format("{} returns with the direction flag set", fault.name)
                                 : fmt::format("{} calls {} with the direction flag set", fault.name, fault.callee),
            "put `cld` behind the last string instruction that runs backwards"};
}

Told call_align(const Fault& fault) {
    if (fault.is_doubtful) {
        return {rule::call_align,
                fmt::format("{} calls {} with rsp 8 bytes off a multiple of 16, every other time: it was moved by a "
                            "multiple of 8",
                            fault.name, called(fault)),
                "round what is taken of the stack up to a multiple of 16: `add rax, 15`, `and rax, -16`"};
    }
    return {rule::call_align,
            fmt::format("{} calls {} with rsp {} bytes off a multiple of 16", fault.name, called(fault), fault.amount),
            fmt::format("take {} bytes more of the stack before the call, and give them back behind it", fault.amount)};
}

Told shadow_space(const Fault& fault) {
    return {rule::shadow_space,
            fmt::format("{} calls {} with {} of the 32 bytes that belong to the callee missing: it may write over the "
                        "return address",
                        fault.name, called(fault), std::min<std::int64_t>(fault.amount, 32)),
            "`sub rsp, 40` at the beginning (32 bytes, and 8 that keep rsp aligned), `add rsp, 40` before the return"};
}

Told volatile_after_call(const Fault& fault) {
    const std::string name = fault.subject == abi::Register::none ? fmt::format("xmm{}", fault.vector)
                                                                  : std::string(abi::name_of(fault.subject));
    return {rule::volatile_after_call,
            fmt::format("{} reads {} behind a call, which leaves anything in it{}", fault.name, name,
                        fault.is_doubtful ? ", on one of the ways there" : ""),
            "keep the value in a register that calls leave alone, or on the stack, over the call"};
}

Told flags_after_call(const Fault& fault) {
    return {rule::volatile_after_call,
            fmt::format("{} asks flags behind a call, which leaves anything in them", fault.name),
            "compare behind the call, not before it"};
}

Told home_after_call(const Fault& fault) {
    return {
        rule::volatile_after_call,
        fmt::format("{} reads the stack behind a call where that may have left anything: among the 32 bytes above rsp",
                    fault.name),
        "keep locals above the 32 bytes that belong to the callee: take more of the stack first"};
}

Told red_zone(const Fault& fault, const Image& image) {
    return {rule::red_zone,
            image.format == Format::pe
                ? fmt::format("{} uses memory {} bytes below rsp, which Windows may overwrite at any time", fault.name,
                              fault.amount)
                : fmt::format("{} uses memory {} bytes below rsp; beyond 128 a signal may overwrite it", fault.name,
                              fault.amount),
            "move rsp below it first"};
}

Told return_address(const Fault& fault) {
    return {
        rule::stack_balance,
        fmt::format("{} writes over its return address, so that `ret` takes something else for it", fault.name),
        "take as much of the stack as is written to, and not less: a larger `sub rsp, N`, and the same `add rsp, N`"};
}

Told stack_from_register(const Fault& fault) {
    if (fault.subject == abi::Register::none) {
        return {rule::stack_balance, fmt::format("{} sets rsp to what a call left in a register", fault.name),
                "keep it in a register that calls leave alone"};
    }
    const std::string_view name = abi::name_of(fault.subject);
    return {rule::stack_balance, fmt::format("{} sets rsp to what {} was at its entry", fault.name, name),
            "`push rbp` and `mov rbp, rsp` come before `leave`, and rbp must not be written in between"};
}

Told unaligned_access(const Fault& fault) {
    return {
        rule::call_align,
        fmt::format("{} accesses {} bytes at once at a place of the stack that is {} bytes off a multiple of {}: it "
                    "faults",
                    fault.name, fault.size, fault.amount, fault.size),
        "take 8 bytes more of the stack, or use `movups` and `movdqu`"};
}

std::string leaves(const Fault& fault) {
    return fault.callee.empty() ? std::string("returns") : "calls " + fault.callee;
}

Told upper_used(const Fault& fault) {
    return {rule::vzeroupper,
            fmt::format("{} {} with the upper halves of ymm registers in use, which makes SSE code slow from there on",
                        fault.name, leaves(fault)),
            fault.callee.empty() ? "put `vzeroupper` before the return" : "put `vzeroupper` before the call"};
}

Told floating_state(const Fault& fault) {
    const auto state = static_cast<unsigned>(fault.amount);
    if ((state & abi::floating_mmx) != 0) {
        return {rule::fp_state, fmt::format("{} returns with MMX registers in use: x87 code gives NaN", fault.name),
                "put `emms` behind the last MMX instruction"};
    }
    const bool is_mxcsr = (state & abi::floating_mxcsr) != 0;
    return {rule::fp_state,
            fmt::format("{} returns with {} changed", fault.name, is_mxcsr ? "MXCSR" : "the x87 control word"),
            is_mxcsr ? "save it first with `stmxcsr`, and restore it with `ldmxcsr` from the same place"
                     : "save it first with `fnstcw`, and restore it with `fldcw` from the same place"};
}

Told stack_probe(const Fault& fault) {
    return {rule::stack_probe,
            fmt::format("{} takes {} bytes of the stack at once, which may step over Windows' guard page", fault.name,
                        fault.amount),
            "touch each page on the way: `sub rsp, 4096` and `or qword [rsp], 0`, or call `__chkstk`"};
}

Told jump_into_instruction(const Fault& fault) {
    return {rule::jump_into_instruction, fmt::format("{} jumps into the middle of an instruction", fault.name),
            "jump to a label that stands before an instruction"};
}

Told no_endbr(const Fault& fault) {
    return {rule::endbr,
            fmt::format("the module promises branch tracking (IBT), and {} does not begin with endbr64", fault.name),
            "begin it with `endbr64`, or leave the mark away"};
}

Told return_elsewhere(const Fault& fault) {
    return {rule::shadow_stack,
            fault.callee.empty()
                ? fmt::format("the module promises shadow stacks, and {} returns to another place than its caller",
                              fault.name)
                : fmt::format("the module promises shadow stacks, and {} calls the next instruction, to which nothing "
                              "returns",
                              fault.name),
            fault.callee.empty() ? "jump there with `jmp`, or leave the mark away"
                                 : "take the address with `lea rax, [rel here]`, or leave the mark away"};
}

Told argument_undefined(const Fault& fault) {
    return {rule::arg_undefined,
            fmt::format("{} calls {} with {}, which nobody set, for an argument", fault.name, fault.callee,
                        abi::name_of(fault.subject)),
            fmt::format("set {} between the last call and this one", abi::name_of(fault.subject))};
}

Told vector_count(const Fault& fault) {
    return {rule::vararg_al,
            fmt::format("{} calls {}, which is variadic, without the number of vector arguments in al", fault.name,
                        fault.callee),
            "put `xor eax, eax` before the call, or `mov eax, N` where N vector registers hold arguments"};
}

Told null_unchecked(const Fault& fault) {
    return {
        rule::null_unchecked,
        fmt::format("{} looks into what {} returned without having asked whether it is NULL", fault.name, fault.callee),
        "put `test rax, rax` and `jz` behind the call, and return NULL there"};
}

Told without_lock(const Fault& fault) {
    return {rule::gil,
            fmt::format("{} calls {} behind PyEval_SaveThread, without CPython's lock", fault.name, fault.callee),
            "call `PyEval_RestoreThread` first"};
}

Told raw_reference_count(const Fault& fault) {
    return {rule::refcount_raw,
            fmt::format("{} changes the reference count at [{}] in place, where not every promised CPython keeps it",
                        fault.name, abi::name_of(fault.subject)),
            "call `Py_IncRef` or `Py_DecRef`"};
}

Told static_data(const Fault& fault) {
    return {rule::shared_static,
            fmt::format("{} writes data of the module's own, which threads and interpreters share", fault.name),
            "keep state in the module object, with `PyModule_GetState`"};
}

Told unwind_missing(const Fault& fault) {
    return {rule::unwind_missing,
            fmt::format("{} moves rsp, and .pdata has no entry for it: who walks the stack through it gets lost",
                        fault.name),
            "write it with `py_function` and `py_end` of Python.inc, or give it a RUNTIME_FUNCTION and UNWIND_INFO"};
}

std::string place_of(std::int64_t distance) {
    return distance == 0
               ? std::string("where the return address lies")
               : fmt::format("{} bytes {} the return address", std::abs(distance), distance < 0 ? "below" : "above");
}

Told unwind_false(const Fault& fault) {
    if (fault.amount == 0) {
        return {rule::unwind_false,
                fmt::format("the unwind data of {} count from a register that still is its caller's", fault.name),
                "give each push, pop and change of rsp its own row, or let `py_function` and `py_return` write them"};
    }
    return {rule::unwind_false,
            fmt::format("the unwind data of {} are {} bytes off: they take the return address to lie {}", fault.name,
                        std::abs(fault.amount), place_of(fault.amount)),
            "give each push, pop and change of rsp its own row, or let `py_function` and `py_return` write them"};
}

Told unwind_registers(const Fault& fault) {
    return {rule::unwind_false,
            fmt::format("the unwind data of {} take a register that belongs to its caller to be saved where it is not",
                        fault.name),
            "say of each push which register it saves, in the order of the pushes, or let `py_function` write it"};
}

Told epilogue(const Fault& fault) {
    return {rule::win64_epilog,
            fmt::format("{} gives its stack back in a way that Windows' unwinder does not know for an epilogue",
                        fault.name),
            "end with `add rsp, N` (or `lea rsp, [rbp + N]`), the pops, and `ret`, and nothing else between them"};
}

Told fallthrough(const Fault& fault) {
    return {rule::fallthrough, fmt::format("{} runs on into {}", fault.name, fault.callee),
            "end it with `ret`, or with `jmp` where that is what it means"};
}

}  // namespace

Told words_of(const Fault& fault, const Image& image) {
    switch (fault.kind) {
        case FaultKind::callee_saved:
            return callee_saved(fault, image);
        case FaultKind::callee_saved_vector:
            return callee_saved_vector(fault);
        case FaultKind::stack_balance:
            return stack_balance(fault);
        case FaultKind::return_address:
            return return_address(fault);
        case FaultKind::stack_from_register:
            return stack_from_register(fault);
        case FaultKind::direction_flag:
            return direction_flag(fault);
        case FaultKind::call_align:
            return call_align(fault);
        case FaultKind::unaligned_access:
            return unaligned_access(fault);
        case FaultKind::shadow_space:
            return shadow_space(fault);
        case FaultKind::volatile_after_call:
            return volatile_after_call(fault);
        case FaultKind::home_after_call:
            return home_after_call(fault);
        case FaultKind::flags_after_call:
            return flags_after_call(fault);
        case FaultKind::red_zone:
            return red_zone(fault, image);
        case FaultKind::upper_used:
            return upper_used(fault);
        case FaultKind::floating_state:
            return floating_state(fault);
        case FaultKind::stack_probe:
            return stack_probe(fault);
        case FaultKind::jump_into_instruction:
            return jump_into_instruction(fault);
        case FaultKind::no_endbr:
            return no_endbr(fault);
        case FaultKind::return_elsewhere:
            return return_elsewhere(fault);
        case FaultKind::argument_undefined:
            return argument_undefined(fault);
        case FaultKind::vector_count:
            return vector_count(fault);
        case FaultKind::null_unchecked:
            return null_unchecked(fault);
        case FaultKind::without_lock:
            return without_lock(fault);
        case FaultKind::raw_reference_count:
            return raw_reference_count(fault);
        case FaultKind::static_data:
            return static_data(fault);
        case FaultKind::unwind_missing:
            return unwind_missing(fault);
        case FaultKind::unwind_false:
            return unwind_false(fault);
        case FaultKind::unwind_registers:
            return unwind_registers(fault);
        case FaultKind::epilogue:
            return epilogue(fault);
        case FaultKind::fallthrough:
            break;
    }
    return fallthrough(fault);
}

}  // namespace nasm_build::inspect
