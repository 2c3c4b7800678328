#include "inspect/rules/registry.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace nasm_build::inspect {

namespace {

constexpr auto rules = std::to_array<Rule>({
    {rule::entry_missing, "entry", Severity::error, Scope::module, Formats::any,
     "The module does not export the function that CPython calls when it imports it"},
    {rule::entry_hidden, "entry", Severity::error, Scope::module, Formats::any,
     "The entry point is in the file, but cannot be found by its name"},
    {rule::entry_not_code, "entry", Severity::error, Scope::module, Formats::any,
     "The entry point is exported, but is not a function of this module"},
    {rule::entry_too_new, "entry", Severity::error, Scope::module, Formats::any,
     "The only entry point is one that the CPython it is built for does not look for"},
    {rule::entry_untyped, "entry", Severity::note, Scope::module, Formats::elf,
     "The entry point has no type, so that some tools take the module for a plain library"},
    {rule::several_entry_points, "entry", Severity::note, Scope::module, Formats::any,
     "The file has entry points of other modules too, which an import does not find by itself"},

    {rule::python_symbol_unknown, "python-api", Severity::error, Scope::binary, Formats::any,
     "No CPython has a symbol that the module needs"},
    {rule::python_symbol_missing, "python-api", Severity::error, Scope::binary, Formats::any,
     "The CPython it is built for lacks a symbol that the module needs"},
    {rule::not_stable_abi, "python-api", Severity::error, Scope::binary, Formats::any,
     "A module that promises the stable ABI needs a symbol that is not in it"},
    {rule::private_names, "python-api", Severity::note, Scope::binary, Formats::any,
     "The module needs private names of CPython, which any release may change"},

    {rule::libpython_linked, "python-library", Severity::warning, Scope::binary, Formats::elf_and_macho,
     "The module is linked with libpython, which not every CPython has"},
    {rule::wrong_python_dll, "python-library", Severity::error, Scope::binary, Formats::pe,
     "The module imports Python's symbols from the wrong DLL"},
    {rule::embedded_python, "python-library", Severity::error, Scope::module, Formats::any,
     "The module has an interpreter of its own within it"},

    {rule::module_definition, "tables", Severity::error, Scope::module, Formats::any,
     "The module's PyModuleDef is not what CPython reads"},
    {rule::module_slots, "tables", Severity::error, Scope::module, Formats::any,
     "The module's slots are not what CPython takes"},
    {rule::method_table, "tables", Severity::error, Scope::module, Formats::any,
     "A table of methods is not what CPython reads"},
    {rule::attribute_table, "tables", Severity::error, Scope::module, Formats::any,
     "A table of members or attributes is not what CPython reads"},
    {rule::type_spec, "tables", Severity::error, Scope::module, Formats::any,
     "A PyType_Spec is not what CPython takes"},
    {rule::abi_info, "tables", Severity::error, Scope::module, Formats::any,
     "The module's PyABIInfo does not fit what the module is for"},

    {rule::undefined_symbol, "undefined-symbol", Severity::error, Scope::binary, Formats::elf_and_macho,
     "Neither CPython nor any library that the module needs has a symbol"},

    {rule::wrong_platform, "platform", Severity::error, Scope::binary, Formats::any,
     "The file's format or machine is not the one that it is built for"},
    {rule::missing_slice, "platform", Severity::error, Scope::binary, Formats::macho,
     "A fat file lacks the code for a machine that its tag promises"},
    {rule::not_loadable, "platform", Severity::error, Scope::binary, Formats::any,
     "The file is not of a kind that can be loaded as a module"},
    {rule::file_name, "platform", Severity::error, Scope::binary, Formats::any,
     "The file's name says another CPython or platform than what it is built for"},
    {rule::minimum_system, "platform", Severity::error, Scope::binary, Formats::macho,
     "The module needs a newer macOS than its tag promises"},
    {rule::no_build_version, "platform", Severity::warning, Scope::binary, Formats::macho,
     "The module does not say which system it is for"},

    {rule::library_not_allowed, "platform", Severity::error, Scope::binary, Formats::elf,
     "A library is needed that the wheel does not bring and its tag does not promise"},
    {rule::symbol_version, "platform", Severity::error, Scope::binary, Formats::elf,
     "A symbol is needed in a version that is newer than the wheel's tag promises"},

    {rule::executable_stack, "load", Severity::error, Scope::binary, Formats::elf,
     "The module asks for an executable stack"},
    {rule::text_relocations, "load", Severity::warning, Scope::binary, Formats::elf_and_macho,
     "The loader must write into the module's code"},
    {rule::writable_code, "load", Severity::warning, Scope::binary, Formats::any,
     "Memory is both writable and executable"},
    {rule::relocations_stripped, "load", Severity::warning, Scope::binary, Formats::pe,
     "Windows cannot move the module, or moves it and leaves its addresses as they were"},
    {rule::c_runtime_missing, "load", Severity::error, Scope::binary, Formats::pe,
     "The module needs a C or C++ runtime that a plain Windows with CPython does not have"},
    {rule::delay_imports, "load", Severity::note, Scope::binary, Formats::pe,
     "A library is looked for at the first call, not at import"},
    {rule::chained_fixups, "load", Severity::error, Scope::binary, Formats::macho,
     "The module has fixups that the oldest macOS it is for cannot read"},
    {rule::code_signature, "load", Severity::error, Scope::binary, Formats::macho,
     "The code signature is missing, damaged, or does not fit the code"},
    {rule::slices_differ, "load", Severity::warning, Scope::binary, Formats::macho,
     "The slices of a fat file are not of one build"},
    {rule::static_tls, "load", Severity::warning, Scope::binary, Formats::elf,
     "Thread-local data is at fixed distances, for which the loader keeps little room"},
    {rule::no_dlopen, "load", Severity::error, Scope::binary, Formats::elf,
     "The module forbids that it is loaded while a process runs"},
    {rule::foreign_osabi, "load", Severity::error, Scope::binary, Formats::elf,
     "The module says that it is for another system than Linux"},
    {rule::isa_needed, "load", Severity::warning, Scope::binary, Formats::elf,
     "The module is marked as needing more than every x86-64 machine has"},
    {rule::ifunc_on_musl, "load", Severity::error, Scope::binary, Formats::elf,
     "The module chooses functions by ifunc, which musl does not have"},
    {rule::packed_relocations, "load", Severity::error, Scope::binary, Formats::elf,
     "The module's relocations are packed in a form that the C library does not know"},
    {rule::page_alignment, "load", Severity::warning, Scope::binary, Formats::elf,
     "The module's segments are not aligned to the pages of every machine that it is for"},

    {rule::missing_mitigations, "hardening", Severity::note, Scope::binary, Formats::elf_and_pe,
     "The module does without protections that its linker gives for the asking"},
    {rule::frame_pointers, "hardening", Severity::note, Scope::module, Formats::elf_and_macho,
     "Functions that make calls keep no frame pointer"},

    {rule::module_not_found_by_name, "wheel", Severity::error, Scope::wheel, Formats::any,
     "A CPython that the wheel's tag promises looks for no file that a module is in"},
    {rule::purelib_module, "wheel", Severity::warning, Scope::wheel, Formats::any,
     "A module would be installed among the files that are the same on every machine"},
    {rule::tag_mismatch, "wheel", Severity::error, Scope::wheel, Formats::any,
     "The wheel's tags contradict each other, or what is in it"},
    {rule::invented_cpu_tag, "wheel", Severity::error, Scope::wheel, Formats::any,
     "A platform tag of the wheel is one that no installer takes"},
    {rule::duplicate_entry, "wheel", Severity::warning, Scope::wheel, Formats::any,
     "Two files of the wheel are one file on systems where case does not count"},
    {rule::record_incomplete, "wheel", Severity::warning, Scope::wheel, Formats::any,
     "The wheel has no RECORD, or one that does not list a module"},

    {rule::extra_exports, "hygiene", Severity::note, Scope::module, Formats::any,
     "The module exports more than its entry point"},
    {rule::other_libraries, "hygiene", Severity::note, Scope::module, Formats::any,
     "The module needs libraries beyond the system's own"},
    {rule::build_path, "hygiene", Severity::warning, Scope::binary, Formats::elf_and_macho,
     "The module looks for libraries in a folder of the machine it was built on"},

    {rule::isa_above_baseline, "isa", Severity::warning, Scope::binary, Formats::any,
     "The module has instructions that not every processor of its platform has, and asks none"},
    {rule::simd_missing, "isa", Severity::warning, Scope::release, Formats::any,
     "The module lacks SIMD code that it has on another platform"},

    {rule::callee_saved, "abi", Severity::error, Scope::module, Formats::any,
     "A function returns with a register changed that belongs to its caller"},
    {rule::stack_balance, "abi", Severity::error, Scope::module, Formats::any,
     "A function returns with the stack pointer elsewhere than at entry"},
    {rule::direction_flag, "abi", Severity::error, Scope::module, Formats::any,
     "A function returns or calls with the direction flag set"},
    {rule::call_align, "abi", Severity::error, Scope::module, Formats::any,
     "A call is made with a stack that is not aligned to 16 bytes"},
    {rule::shadow_space, "abi", Severity::error, Scope::module, Formats::pe,
     "A call is made without the 32 bytes of stack that belong to the callee"},
    {rule::volatile_after_call, "abi", Severity::error, Scope::module, Formats::any,
     "A register is read after a call that destroyed it"},
    {rule::red_zone, "abi", Severity::error, Scope::module, Formats::any,
     "Memory below the stack pointer is used that may be overwritten at any time"},
    {rule::fallthrough, "abi", Severity::warning, Scope::module, Formats::any,
     "A function runs on into the one behind it"},
    {rule::unwind_missing, "abi", Severity::error, Scope::module, Formats::pe,
     "A function calls or moves the stack pointer, and Windows has no unwind data for it"},
    {rule::unwind_false, "abi", Severity::error, Scope::module, Formats::any,
     "The unwind data say of the stack what is not so"},
    {rule::win64_epilog, "abi", Severity::warning, Scope::module, Formats::pe,
     "A function gives its stack back in a way that Windows' unwinder does not know"},
    {rule::vzeroupper, "abi", Severity::warning, Scope::module, Formats::any,
     "The upper halves of ymm registers are in use where other code goes on"},
    {rule::fp_state, "abi", Severity::warning, Scope::module, Formats::any,
     "A function leaves floating point in another mode than it found"},
    {rule::stack_probe, "abi", Severity::warning, Scope::module, Formats::pe,
     "A page and more of the stack is taken at once, past the guard page"},
    {rule::jump_into_instruction, "abi", Severity::warning, Scope::module, Formats::any,
     "A jump leads into the middle of an instruction"},
    {rule::endbr, "abi", Severity::warning, Scope::module, Formats::elf,
     "The module promises branch tracking, and a function lacks its mark"},
    {rule::shadow_stack, "abi", Severity::error, Scope::module, Formats::elf,
     "The module promises shadow stacks, and a call and its return do not go together"},
    {rule::arg_undefined, "abi", Severity::error, Scope::module, Formats::any,
     "A call takes an argument from a register that nobody set"},
    {rule::vararg_al, "abi", Severity::warning, Scope::module, Formats::elf_and_macho,
     "A variadic function is called without the number of vector arguments in al"},
    {rule::null_unchecked, "abi", Severity::warning, Scope::module, Formats::any,
     "An object that CPython returned is looked into, and nobody asked whether it is NULL"},
    {rule::gil, "abi", Severity::warning, Scope::module, Formats::any,
     "CPython is called by a thread that gave its lock away"},
    {rule::refcount_raw, "abi", Severity::error, Scope::module, Formats::any,
     "A reference count is changed in place where the promised CPythons keep it otherwise"},
    {rule::shared_static, "abi", Severity::note, Scope::module, Formats::any,
     "A module that says it may be shared writes data of its own"},
});

}  // namespace

std::span<const Rule> all_rules() noexcept {
    return rules;
}

bool covers(Formats formats, Format format) noexcept {
    const Formats one = format == Format::elf ? Formats::elf : format == Format::pe ? Formats::pe : Formats::macho;
    return (static_cast<unsigned>(formats) & static_cast<unsigned>(one)) != 0;
}

const Rule* find_rule(std::string_view id) noexcept {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& one) { return one.id == id; });
    return found == rules.end() ? nullptr : &*found;
}

Finding make_finding(std::string_view id, Said said) {
    const Rule* const found = find_rule(id);
    assert(found != nullptr);
    return make_finding(id, found->severity, std::move(said));
}

Finding make_finding(std::string_view id, Severity severity, Said said) {
    Finding finding;
    finding.rule = id;
    finding.severity = severity;
    finding.message = std::move(said.message);
    finding.fix = std::move(said.fix);
    finding.symbol = std::move(said.symbol);
    return finding;
}

}  // namespace nasm_build::inspect
