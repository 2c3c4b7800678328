// What only an ELF file says to its loader: part of the Image of every ELF binary, and empty in the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nasm_build::inspect {

/// A PT_LOAD as the loader maps it.
struct LoadSegment {
    std::uint64_t address = 0;
    std::uint64_t file_offset = 0;
    std::uint64_t alignment = 0;
};

/// PT_TLS: what each thread has a copy of.
struct ThreadStorage {
    std::uint64_t size = 0;  ///< bytes in memory
    std::uint64_t alignment = 0;
};

/// What the GNU property note says of the code as a whole.
struct GnuProperties {
    std::uint32_t x86_isa_needed = 0;  ///< GNU_PROPERTY_X86_ISA_1_NEEDED: bit 0 the baseline, bit 1 x86-64-v2, …
    bool x86_branch_tracking = false;  ///< IBT: each indirect branch lands on `endbr64`
    bool x86_shadow_stack = false;  ///< SHSTK: each function returns to where it was called from
    bool arm64_branch_targets = false;  ///< BTI
    bool arm64_pointer_authentication = false;  ///< PAC
};

struct ElfFacts {
    unsigned os_abi = 0;  ///< EI_OSABI
    bool has_fixed_address = false;  ///< ET_EXEC
    bool is_position_independent_program = false;  ///< DF_1_PIE
    bool refuses_dlopen = false;  ///< DF_1_NOOPEN

    std::vector<LoadSegment> loads;
    std::optional<ThreadStorage> thread_storage;
    bool claims_static_thread_storage = false;  ///< DF_STATIC_TLS
    /// A relocation wants the distance of the file's own thread-local data from the thread pointer (initial-exec model), which
    /// is fixed only in the block that the loader set up when the process started.
    bool places_own_storage_statically = false;

    std::uint64_t indirect_relocations = 0;  ///< IRELATIVE: a function is called that says what is written
    std::string
        indirect_symbol;  ///< of the file's own symbols of the type STT_GNU_IFUNC, the first that a relocation refers to
    bool has_packed_relocations = false;  ///< DT_RELR
    bool needs_packed_relocations_mark = false;  ///< the symbol version GLIBC_ABI_DT_RELR
    bool needs_symbol_versions = false;  ///< DT_VERNEED

    bool has_read_only_relocations = false;  ///< PT_GNU_RELRO
    bool binds_at_load = false;  ///< DT_BIND_NOW, DF_BIND_NOW or DF_1_NOW
    bool has_late_bindings = false;  ///< DT_JMPREL is not empty: what BIND_NOW is about
    GnuProperties properties;
};

}  // namespace nasm_build::inspect
