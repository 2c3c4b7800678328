// The looks at how the code deals with CPython: arguments, results that may be NULL, the global lock, objects and static data.
#include <algorithm>
#include <array>

#include "inspect/abi/analysis.hpp"
#include "inspect/data/python_signatures.hpp"
#include "inspect/memory.hpp"

namespace nasm_build::inspect::abi {

namespace {

// What may be called without the lock. Names that begin with an underscore are CPython's own business.
bool needs_lock(std::string_view import) {
    static constexpr auto free_prefixes = std::to_array<std::string_view>({
        "PyThread_",
        "PyGILState_",
        "PyMutex_",
        "PyMem_Raw",
        "PyTime_",
        "PyEval_",
        "PyOS_",
        "Py_AddPendingCall",
        "Py_FatalError",
        "Py_Is",
        "Py_Get",
        "PyThreadState_",
        "PyInterpreterState_",
        "PyCriticalSection_",
        "PyUnstable_",
        "PyTraceMalloc_",
        "Py_Exit",
        "Py_AtExit",
    });
    return import.starts_with("Py") && std::none_of(free_prefixes.begin(), free_prefixes.end(),
                                                    [&](std::string_view one) { return import.starts_with(one); });
}

// Of the C library's, those that code calls without a header's prototype at hand.
bool is_variadic(std::string_view import) {
    static constexpr auto names = std::to_array<std::string_view>(
        {"printf", "fprintf", "dprintf", "sprintf", "snprintf", "scanf", "fscanf", "sscanf", "syslog", "err", "warn"});
    const auto known = python_signature(import);
    return known ? known->is_variadic : std::find(names.begin(), names.end(), import) != names.end();
}

// They have nothing to report, or NULL is an answer that nobody looks into.
bool never_gives_null(std::string_view import) {
    return import.starts_with("PyErr_") || import.starts_with("PyType_GetModule") || import == "Py_NewRef" ||
           import == "PyModule_GetDict" || import == "PyImport_GetModuleDict" || import == "PyEval_GetBuiltins" ||
           import == "PyModuleDef_Init";
}

}  // namespace

void Analysis::take_result(const Instruction& instruction, std::string_view import, State& state) {
    if (import == "PyEval_SaveThread" || import == "PyEval_ReleaseThread") {
        state.lock = Lock::released;
    } else if (import == "PyEval_RestoreThread" || import == "PyEval_AcquireThread" || import == "PyGILState_Ensure") {
        state.lock = Lock::held;
    } else if (import == "PyGILState_Release") {
        state.lock = Lock::unknown;
    }
    const auto signature = python_signature(import);
    const bool is_object = signature && signature->returns_object && !never_gives_null(import);
    const bool is_complex = import.find("omplex") != std::string_view::npos || import.starts_with("_Py_c_");
    if (signature && !is_complex) {
        // One integer, pointer or double comes back, and nothing in the other registers for results.
        state.at(Register::rdx) = Value::destroyed();
        state.destroyed_vectors.add(signature->has_others
                                        ? convention_.result_vectors.without(RegisterSet::vectors(0, 0))
                                        : convention_.result_vectors);
    }
    const auto base = static_cast<std::uint32_t>(instruction.address);
    results_[base] = import;
    state.at(Register::rax) = {Value::Kind::result, static_cast<std::uint8_t>(is_object ? 1 : 0), -1, base, 0};
}

void Analysis::look_at_import(const Instruction& instruction, const State& state, std::string_view import) {
    const bool is_system_v = convention_.shadow_space == 0;
    if (state.lock == Lock::released && needs_lock(import)) {
        tell(FaultKind::without_lock, instruction.address).callee = import;
    }
    const Value& rax = state.at(Register::rax);
    const bool is_result = rax.kind == Value::Kind::result && rax.number != Value::result_is_zero;
    const bool is_leftover = is_result || rax.kind == Value::Kind::destroyed ||
                             (rax.is_entry_of(Register::rax) && function_.has_known_convention);
    if (is_system_v && is_variadic(import) && is_leftover) {
        tell(FaultKind::vector_count, instruction.address).callee = import;
    }
    const auto signature = python_signature(import);
    // What begins with an underscore changes between patch releases.
    if (!signature || signature->has_others || import.starts_with('_')) {
        return;
    }
    for (unsigned number = 0; number < std::min(signature->arguments, convention_.argument_count); ++number) {
        const Register one = convention_.arguments.at(number);
        const Value& value = state.at(one);
        const bool is_destroyed = value.kind == Value::Kind::destroyed && (value.number == 0 || function_.is_assembled);
        // What a function has no parameter for, nobody set.
        bool is_unset = false;
        if (function_.parameters && value.kind == Value::Kind::entry) {
            const auto place = std::find(convention_.arguments.begin(), convention_.arguments.end(),
                                         static_cast<Register>(value.number));
            const auto index = static_cast<unsigned>(place - convention_.arguments.begin());
            is_unset = place != convention_.arguments.end() && index >= *function_.parameters;
        }
        if (is_destroyed || is_unset) {
            Fault& fault = tell(FaultKind::argument_undefined, instruction.address);
            fault.subject = one;
            fault.callee = import;
            // The flags of a method may be changed while the module is set up.
            fault.is_doubtful = is_destroyed ? value.number != 0 : *function_.parameters != 0;
        }
    }
}

void Analysis::look_at_objects(const Instruction& instruction, const State& state) {
    const Memory& memory = instruction.memory;
    if (!memory.is_used || memory.is_segment || !(memory.is_read || memory.is_written)) {
        return;
    }
    if (memory.base == Register::none) {
        const auto place = static_cast<std::uint64_t>(memory.displacement);
        // gcc's crtbegin.o notes there that destructors ran.
        const bool is_of_compiler = function_.name == "__do_global_dtors_aux";
        if (program_.is_shared() && !is_of_compiler && memory.is_written && memory.has_no_register() &&
            is_writable(program_.image(), place) && !writes_static_data_) {
            tell(FaultKind::static_data, instruction.address);
            writes_static_data_ = true;
        }
        return;
    }
    const Value& base = state.at(memory.base);
    if (base.kind == Value::Kind::result && base.number == 1) {
        tell(FaultKind::null_unchecked, instruction.address).callee = results_[base.base];
    }
    const bool is_self =
        function_.parameters && *function_.parameters >= 2 && base.is_entry_of(convention_.arguments[0]);
    const bool is_object = is_self || (base.kind == Value::Kind::result && (base.number == 1 || base.number == 2));
    const bool is_count = memory.displacement == 0 && memory.index == Register::none && memory.is_read &&
                          memory.is_written && (memory.size == 8 || memory.size == 4);
    if (is_object && is_count) {
        tell(FaultKind::raw_reference_count, instruction.address).subject = memory.base;
    }
}

}  // namespace nasm_build::inspect::abi
