#include "inspect/abi/imports.hpp"

#include <algorithm>
#include <array>

#include "inspect/data/c_library_symbols.hpp"
#include "inspect/data/python_symbols.hpp"

namespace nasm_build::inspect::abi {

namespace {

// C11's _Noreturn functions, POSIX', glibc's and musl's own, those of the C++ ABI and of libstdc++, libc++ and Microsoft's
// runtime, CPython's and GLib's. In the order of their bytes.
constexpr auto never = std::to_array<std::string_view>({
    "ExitProcess",
    "ExitThread",
    "FreeLibraryAndExitThread",
    "Py_Exit",
    "Py_ExitStatusException",
    "Py_FatalError",
    "RaiseFailFastException",
    "_CxxThrowException",
    "_Exit",
    "_PyObject_AssertFailed",
    "_Py_FatalErrorFormat",
    "_Py_FatalErrorFunc",
    "_Py_FatalRefcountErrorFunc",
    "_Py_NegativeRefcount",
    "_Unwind_Resume",
    "__assert",
    "__assert_fail",
    "__assert_rtn",
    "__chk_fail",
    "__cxa_bad_cast",
    "__cxa_bad_typeid",
    "__cxa_call_terminate",
    "__cxa_call_unexpected",
    "__cxa_deleted_virtual",
    "__cxa_pure_virtual",
    "__cxa_rethrow",
    "__cxa_throw",
    "__cxa_throw_bad_array_new_length",
    "__fortify_fail",
    "__longjmp_chk",
    "__report_gsfailure",
    "__stack_chk_fail",
    "__stack_smash_handler",
    "__std_terminate",
    "_assert",
    "_endthread",
    "_endthreadex",
    "_exit",
    "_invalid_parameter_noinfo_noreturn",
    "_invoke_watson",
    "_longjmp",
    "_wassert",
    "abort",
    "err",
    "errx",
    "exit",
    "g_assertion_message",
    "g_assertion_message_cmpstr",
    "g_assertion_message_expr",
    "g_thread_exit",
    "longjmp",
    "pthread_exit",
    "quick_exit",
    "siglongjmp",
    "terminate",
    "thrd_exit",
    "verr",
    "verrx",
});

// Mangled names: `std::__throw_…` and `std::terminate` of the Itanium C++ ABI, Rust's panics, Microsoft's `_Xlength_error`.
constexpr auto never_begin = std::to_array<std::string_view>({
    "_ZN10__cxxabiv111__terminate",
    "_ZNSt3__120__throw_",
    "_ZNSt3__121__throw_",
    "_ZNSt3__122__throw_",
    "_ZSt10unexpectedv",
    "_ZSt17__throw_",
    "_ZSt17rethrow_exception",
    "_ZSt9terminatev",
    "?_Xbad_alloc@std@@",
    "?_Xbad_function_call@std@@",
    "?_Xinvalid_argument@std@@",
    "?_Xlength_error@std@@",
    "?_Xout_of_range@std@@",
    "?_Xoverflow_error@std@@",
    "?_Xregex_error@std@@",
    "?_Xruntime_error@std@@",
    "?terminate@@",
});

bool throws_of_libstdcxx(std::string_view name) {
    return name.starts_with("_ZSt") && name.find("__throw_") != std::string_view::npos;
}

}  // namespace

Returns returns(std::string_view import) noexcept {
    const bool is_listed = std::binary_search(never.begin(), never.end(), import);
    const bool begins = std::any_of(never_begin.begin(), never_begin.end(),
                                    [&](std::string_view beginning) { return import.starts_with(beginning); });
    if (is_listed || begins || throws_of_libstdcxx(import)) {
        return Returns::never;
    }
    const bool is_known = find_python_symbol(import).has_value() || find_c_library_symbol(import).has_value();
    return is_known ? Returns::yes : Returns::assumed;
}

}  // namespace nasm_build::inspect::abi
