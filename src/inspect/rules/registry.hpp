// The one table of rules: every finding has its id, its family and its severity from here.
//
// An id is for ever: projects name it in their suppressions, and it is never reused for another meaning. Each rule has a
// page, docs/rules/ID.md, which `nasm-ext explain ID` prints; tests hold the pages and docs/rules.md against this table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// The formats that a rule has something to say of, as a set of bits.
enum class Formats : std::uint8_t {
    elf = 1,
    pe = 2,
    macho = 4,
    elf_and_pe = elf | pe,
    elf_and_macho = elf | macho,
    pe_and_macho = pe | macho,
    any = elf | pe | macho,
};

/// What a rule is applied to.
enum class Scope : std::uint8_t {
    module,  ///< an extension module, not a library that lies beside one
    binary,  ///< every binary
    wheel,  ///< a wheel as a whole: its names, its tags, what they say of each other
    release,  ///< the wheels of one release together
};

struct Rule {
    std::string_view id;
    std::string_view family;
    Severity severity;  ///< the usual one; a finding may have another where its message says why
    Scope scope;
    Formats formats;
    std::string_view summary;
};

namespace rule {
inline constexpr std::string_view entry_missing = "entry-missing";
inline constexpr std::string_view entry_hidden = "entry-hidden";
inline constexpr std::string_view entry_not_code = "entry-not-code";
inline constexpr std::string_view entry_too_new = "entry-too-new";
inline constexpr std::string_view entry_untyped = "entry-untyped";
inline constexpr std::string_view several_entry_points = "several-entry-points";
inline constexpr std::string_view python_symbol_unknown = "python-symbol-unknown";
inline constexpr std::string_view python_symbol_missing = "python-symbol-missing";
inline constexpr std::string_view not_stable_abi = "not-stable-abi";
inline constexpr std::string_view private_names = "private-names";
inline constexpr std::string_view libpython_linked = "libpython-linked";
inline constexpr std::string_view wrong_python_dll = "wrong-python-dll";
inline constexpr std::string_view embedded_python = "embedded-python";
inline constexpr std::string_view module_definition = "module-definition";
inline constexpr std::string_view module_slots = "module-slots";
inline constexpr std::string_view method_table = "method-table";
inline constexpr std::string_view attribute_table = "attribute-table";
inline constexpr std::string_view type_spec = "type-spec";
inline constexpr std::string_view abi_info = "abi-info";
inline constexpr std::string_view undefined_symbol = "undefined-symbol";
inline constexpr std::string_view wrong_platform = "wrong-platform";
inline constexpr std::string_view missing_slice = "missing-slice";
inline constexpr std::string_view not_loadable = "not-loadable";
inline constexpr std::string_view file_name = "file-name";
inline constexpr std::string_view library_not_allowed = "library-not-allowed";
inline constexpr std::string_view symbol_version = "symbol-version";
inline constexpr std::string_view executable_stack = "executable-stack";
inline constexpr std::string_view text_relocations = "text-relocations";
inline constexpr std::string_view writable_code = "writable-code";
inline constexpr std::string_view relocations_stripped = "relocations-stripped";
inline constexpr std::string_view c_runtime_missing = "c-runtime-missing";
inline constexpr std::string_view delay_imports = "delay-imports";
inline constexpr std::string_view minimum_system = "minimum-system";
inline constexpr std::string_view no_build_version = "no-build-version";
inline constexpr std::string_view chained_fixups = "chained-fixups";
inline constexpr std::string_view code_signature = "code-signature";
inline constexpr std::string_view slices_differ = "slices-differ";
inline constexpr std::string_view static_tls = "static-tls";
inline constexpr std::string_view no_dlopen = "no-dlopen";
inline constexpr std::string_view foreign_osabi = "foreign-osabi";
inline constexpr std::string_view isa_needed = "isa-needed";
inline constexpr std::string_view ifunc_on_musl = "ifunc-on-musl";
inline constexpr std::string_view packed_relocations = "packed-relocations";
inline constexpr std::string_view page_alignment = "page-alignment";
inline constexpr std::string_view missing_mitigations = "missing-mitigations";
inline constexpr std::string_view module_not_found_by_name = "module-not-found-by-name";
inline constexpr std::string_view purelib_module = "purelib-module";
inline constexpr std::string_view tag_mismatch = "tag-mismatch";
inline constexpr std::string_view invented_cpu_tag = "invented-cpu-tag";
inline constexpr std::string_view duplicate_entry = "duplicate-entry";
inline constexpr std::string_view record_incomplete = "record-incomplete";
inline constexpr std::string_view extra_exports = "extra-exports";
inline constexpr std::string_view other_libraries = "other-libraries";
inline constexpr std::string_view build_path = "build-path";
inline constexpr std::string_view isa_above_baseline = "isa-above-baseline";
inline constexpr std::string_view simd_missing = "simd-missing";
inline constexpr std::string_view frame_pointers = "frame-pointers";
inline constexpr std::string_view callee_saved = "callee-saved";
inline constexpr std::string_view stack_balance = "stack-balance";
inline constexpr std::string_view direction_flag = "direction-flag";
inline constexpr std::string_view call_align = "call-align";
inline constexpr std::string_view shadow_space = "shadow-space";
inline constexpr std::string_view volatile_after_call = "volatile-after-call";
inline constexpr std::string_view red_zone = "red-zone";
inline constexpr std::string_view fallthrough = "fallthrough";
inline constexpr std::string_view unwind_missing = "unwind-missing";
inline constexpr std::string_view unwind_false = "unwind-false";
inline constexpr std::string_view win64_epilog = "win64-epilog";
inline constexpr std::string_view vzeroupper = "vzeroupper";
inline constexpr std::string_view fp_state = "fp-state";
inline constexpr std::string_view stack_probe = "stack-probe";
inline constexpr std::string_view jump_into_instruction = "jump-into-instruction";
inline constexpr std::string_view endbr = "endbr";
inline constexpr std::string_view shadow_stack = "shadow-stack";
inline constexpr std::string_view arg_undefined = "arg-undefined";
inline constexpr std::string_view vararg_al = "vararg-al";
inline constexpr std::string_view null_unchecked = "null-unchecked";
inline constexpr std::string_view gil = "gil";
inline constexpr std::string_view refcount_raw = "refcount-raw";
inline constexpr std::string_view shared_static = "shared-static";
}  // namespace rule

/// Every rule, family by family.
[[nodiscard]] std::span<const Rule> all_rules() noexcept;

[[nodiscard]] bool covers(Formats formats, Format format) noexcept;

/// The rule with that id, or nothing.
[[nodiscard]] const Rule* find_rule(std::string_view id) noexcept;

/// What a finding is made of besides its rule.
struct Said {
    std::string message;
    std::string fix;
    std::string symbol = {};
};

/// A finding with the rule's usual severity.
[[nodiscard]] Finding make_finding(std::string_view rule, Said said);
/// A finding with another one.
[[nodiscard]] Finding make_finding(std::string_view rule, Severity severity, Said said);

}  // namespace nasm_build::inspect
