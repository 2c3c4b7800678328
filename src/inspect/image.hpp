// Plain facts about one loadable binary, in words that hold for ELF, PE and Mach-O alike.
//
// Readers fill it, rules read it, and neither knows the other. No type of LIEF appears here. Names are as Python's import
// machinery would look them up: on Mach-O without the leading underscore.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/elf_facts.hpp"

namespace nasm_build::inspect {

enum class Format : std::uint8_t { elf, pe, macho };

enum class Machine : std::uint8_t { unknown, x86, x86_64, arm, arm64, ppc64, ppc64le, s390x, riscv64, loongarch64 };

/// What the loader is told the file is. Only `shared_library` and, on Mach-O, `bundle` can be an extension module.
/// `debug_symbols` is the companion of one, which nobody loads (Mach-O's `.dSYM`).
enum class FileKind : std::uint8_t { shared_library, bundle, executable, object, debug_symbols, other };

/// A piece of the image as it will be mapped: a segment on ELF and Mach-O, a section on PE.
struct MemoryRange {
    std::string name;  ///< `.text`, `__TEXT`; empty for ELF segments, which have none
    std::uint64_t address = 0;
    std::uint64_t size = 0;  ///< bytes in memory
    bool readable = false;
    bool writable = false;
    bool executable = false;

    [[nodiscard]] bool contains(std::uint64_t where) const noexcept {
        return where >= address && where - address < size;
    }
};

/// A section: finer than MemoryRange on ELF and Mach-O. Empty where the section headers were stripped.
struct Section {
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    bool writable = false;
    bool executable = false;

    [[nodiscard]] bool contains(std::uint64_t where) const noexcept {
        return where >= address && where - address < size;
    }
};

enum class SymbolKind : std::uint8_t { untyped, function, object, thread_local_object, indirect_function, other };

/// A symbol that another module can find by name.
struct Export {
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    SymbolKind kind = SymbolKind::untyped;  ///< always `untyped` on PE and Mach-O, which record no type
    bool weak = false;
    std::string forwarded_to;  ///< PE: `OTHER.name` when the export is a forwarder
};

/// Why a symbol that is there cannot be found by name.
enum class HiddenBecause : std::uint8_t {
    local,  ///< never declared global
    visibility,  ///< hidden or internal visibility, a version script, or a private extern
    missing_underscore,  ///< Mach-O: dlsym puts `_` before the name, and the symbol has none
    ordinal_only,  ///< PE: exported without a name
};

/// A defined symbol that cannot be found by name. Readers keep only those whose names contain `PyInit` or `PyModExport`
/// (any case), the few that only an interpreter defines, or, for `ordinal_only`, every one: a library has hundreds of
/// thousands of others.
struct HiddenSymbol {
    std::string name;
    std::uint64_t address = 0;
    HiddenBecause why = HiddenBecause::local;
};

/// A symbol that the loader must find elsewhere.
struct Import {
    std::string name;  ///< PE imports by ordinal: `#17`
    std::string library;  ///< the library it is bound to (PE; Mach-O two-level); empty where any library may have it
    std::string version;  ///< ELF: `GLIBC_2.17`; empty when unversioned
    bool weak = false;  ///< may stay unresolved
    bool flat = false;  ///< Mach-O: looked up in every loaded image (`-undefined dynamic_lookup`)
    /// Mach-O: the file's own name has no leading `_`, so it is not the C name of `name` and nobody has it. Linkers' own names
    /// (`dyld_stub_binder`) have none either.
    bool missing_underscore = false;
};

/// A library that the loader must load first.
struct Library {
    std::string name;
    bool weak = false;  ///< may be absent (Mach-O weak)
    bool delayed = false;  ///< loaded at the first call (PE delay import)
};

/// A version of its symbols that a library must have (ELF DT_VERNEED), whichever symbols ask for it.
struct NeededVersion {
    std::string library;  ///< `libc.so.6`
    std::string version;  ///< `GLIBC_2.17`
    bool weak = false;  ///< the loader goes on without it
};

/// What the file says of the stack's memory.
enum class Stack : std::uint8_t { not_applicable, missing, executable, not_executable };

/// A relocation that would write to memory that is not mapped writable.
struct TextRelocation {
    std::uint64_t address = 0;
    std::string symbol;  ///< what it refers to, or empty
};

/// Code of two machines in one PE file: its header says one of them, its load configuration that there is more.
enum class Hybrid : std::uint8_t {
    none,
    arm64ec,  ///< says x86-64, and is arm64 code that calls like x86-64's: for an emulating process on arm64 alone
    arm64x,  ///< says arm64, and serves such processes as well
};

/// What Windows' loader is told beyond the tables of names.
struct PeLoading {
    Hybrid hybrid = Hybrid::none;
    bool relocations_stripped = false;  ///< IMAGE_FILE_RELOCS_STRIPPED: it can lie at its preferred address alone
    bool has_relocations = false;  ///< there is a table of base relocations
    /// Pointers into the image itself that its data holds; counted only where there are no relocations to mend them, and
    /// only of 64 bits, where a value that looks like one is one.
    std::uint64_t own_addresses = 0;
    bool dynamic_base = false;  ///< may be loaded at a random address
    bool high_entropy = false;  ///< and that address may need all 64 bits
    bool no_execute = false;  ///< data is not executable
    bool control_flow_guard = false;
};

enum class SignatureState : std::uint8_t { absent, damaged, read };

/// A Mach-O slice's code signature, compared with the bytes that it signs.
struct CodeSignature {
    SignatureState state = SignatureState::absent;
    std::string damage;  ///< what is wrong with it, where it is damaged: `its list of blobs is empty`
    std::string unread_hash;  ///< the kind of hash that the pages were not compared by, or empty
    std::uint64_t pages = 0;
    std::uint64_t stale_pages = 0;  ///< pages whose hash is another one
    std::uint64_t first_stale = 0;  ///< where the first of them begins, counted from the slice's start
};

/// What dyld and the kernel are told of a Mach-O slice beyond segments and names.
struct MachoLoading {
    bool chained_fixups = false;  ///< LC_DYLD_CHAINED_FIXUPS
    CodeSignature signature;
};

/// Bytes of the file that the loader puts at an address. They belong to the file, which must outlive the Image.
struct Content {
    std::uint64_t address = 0;
    std::span<const std::byte> bytes;
};

/// A place into which the loader writes an address: one of this image, or that of a symbol of another.
struct Pointer {
    std::uint64_t place = 0;
    std::uint64_t target = 0;  ///< an address of this image; without meaning where there is a symbol
    std::string_view symbol;  ///< in the file's bytes; empty for an address of this image
};

/// Addresses from `address` on.
struct AddressRange {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
};

/// What memory holds once the loader is done. Gathered only for a 64-bit file that has an entry point's name among its symbols.
struct Contents {
    std::vector<Content> pieces;
    std::vector<Pointer> pointers;  ///< in the order of their places
    std::vector<AddressRange> sealed;  ///< what the loader makes read-only when it is done (RELRO, `__DATA_CONST`)
    std::string missing;  ///< why there are none, or not all; follows "because"
};

/// The functions of CPython to which a module hands a table.
enum class TableKind : std::uint8_t {
    definition,  ///< a PyModuleDef for PyModuleDef_Init
    definition_at_once,  ///< a PyModuleDef for PyModule_Create2
    slots,  ///< what a PyModExport_ function returns: an array of PySlot
    type_spec,  ///< a PyType_Spec for PyType_FromSpec and its relatives
    methods,  ///< an array of PyMethodDef for PyModule_AddFunctions
};

/// A table that the module's code hands to CPython.
struct TableUse {
    TableKind kind = TableKind::definition;
    std::string entry;  ///< the entry point from which the code was followed
    std::uint64_t address = 0;
};

/// What following the code of the entry points, and of the functions in their tables, gave.
struct EntryCode {
    std::vector<TableUse> uses;
    std::vector<AddressRange> written;  ///< what the code that was followed writes to
    std::string missing;  ///< why no code was followed; follows "because"
};

/// The facts about one binary; a fat file gives one a slice.
struct Image {
    Format format = Format::elf;
    Machine machine = Machine::unknown;
    unsigned pointer_bits = 64;
    FileKind kind = FileKind::other;
    std::string slice;  ///< `x86_64` for a slice of a fat Mach-O file; empty otherwise
    std::string soname;  ///< ELF DT_SONAME, Mach-O LC_ID_DYLIB, the name inside a PE export table; or empty
    std::uint64_t file_size = 0;

    std::vector<MemoryRange> memory;
    std::vector<Section> sections;
    std::vector<Export> exports;
    std::vector<HiddenSymbol> hidden;
    std::vector<Import> imports;
    std::vector<Library> libraries;
    std::vector<NeededVersion> needed_versions;
    std::vector<std::string> run_paths;  ///< DT_RPATH and DT_RUNPATH split at `:`, LC_RPATH

    Stack stack = Stack::not_applicable;
    std::vector<TextRelocation> text_relocations;  ///< at most 100 of them
    bool claims_text_relocations = false;  ///< ELF DT_TEXTREL or DF_TEXTREL
    ElfFacts elf;

    /// The lowest system that a Mach-O file says it runs on (`11.0`), with the platform's name (`macos`). Empty where it says
    /// none; `macos` where it names several platforms.
    std::string minimum_system;
    std::string platform;

    PeLoading pe;  ///< of PE files
    MachoLoading macho;  ///< of Mach-O files

    Contents contents;
    EntryCode entry_code;
};

/// Words for people: `ELF`, `PE`, `Mach-O`; `x86-64`, `arm64`, …
[[nodiscard]] const char* name_of(Format format) noexcept;
[[nodiscard]] const char* name_of(Machine machine) noexcept;

/// The executable range or section that holds an address: what a rule asks before it believes a function is one.
/// Sections decide where there are any, because an ELF linker may map read-only data executable with its headers.
[[nodiscard]] bool is_executable(const Image& image, std::uint64_t address) noexcept;

/// The name of the section or range that holds an address, or empty.
[[nodiscard]] std::string section_name(const Image& image, std::uint64_t address);

}  // namespace nasm_build::inspect
