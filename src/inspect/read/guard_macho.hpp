// What the headers of a Mach-O file promise, checked against the file's bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/guard.hpp"

namespace nasm_build::inspect::macho {

// Numbers of Apple's <mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/fat.h>, <mach/machine.h> and <mach/vm_prot.h>.
inline constexpr std::uint32_t magic_32 = 0xFEEDFACE, magic_64 = 0xFEEDFACF, fat_magic = 0xCAFEBABE,
                               fat_magic_64 = 0xCAFEBABF;
inline constexpr std::uint32_t mh_object = 1, mh_execute = 2, mh_dylib = 6, mh_bundle = 8, mh_dsym = 10;
inline constexpr std::uint32_t mh_twolevel = 0x80;
inline constexpr std::uint32_t lc_segment = 0x1, lc_symtab = 0x2, lc_dysymtab = 0xB, lc_load_dylib = 0xC,
                               lc_id_dylib = 0xD, lc_segment_64 = 0x19, lc_load_weak_dylib = 0x80000018,
                               lc_rpath = 0x8000001C, lc_code_signature = 0x1D, lc_segment_split_info = 0x1E,
                               lc_reexport_dylib = 0x8000001F, lc_lazy_load_dylib = 0x20, lc_dyld_info = 0x22,
                               lc_dyld_info_only = 0x80000022, lc_load_upward_dylib = 0x80000023,
                               lc_version_min_macosx = 0x24, lc_version_min_iphoneos = 0x25, lc_function_starts = 0x26,
                               lc_data_in_code = 0x29, lc_dylib_code_sign_drs = 0x2B,
                               lc_linker_optimization_hint = 0x2E, lc_version_min_tvos = 0x2F,
                               lc_version_min_watchos = 0x30, lc_build_version = 0x32,
                               lc_dyld_exports_trie = 0x80000033, lc_dyld_chained_fixups = 0x80000034;
inline constexpr std::uint32_t prot_read = 1, prot_write = 2, prot_execute = 4;
inline constexpr std::uint32_t section_type_mask = 0xFF, s_zerofill = 1, s_gb_zerofill = 0xC,
                               s_thread_local_zerofill = 0x12, s_attr_instructions = 0x80000400;
inline constexpr std::uint8_t n_stab = 0xE0, n_pext = 0x10, n_type = 0x0E, n_ext = 0x01, n_undf = 0x00;
inline constexpr std::uint16_t n_weak_ref = 0x40, n_weak_def = 0x80;

struct Command {
    std::uint64_t offset = 0;
    std::uint32_t type = 0;
    std::uint32_t size = 0;
};

struct Segment {
    std::string_view name;
    std::uint64_t address = 0;
    std::uint64_t memory_size = 0;
    std::uint64_t offset = 0;
    std::uint64_t file_size = 0;
    std::uint32_t protection = 0;
    std::uint32_t section_count = 0;
    std::uint64_t first_section = 0;  ///< file offset of its first section header
};

struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

/// The file's headers, decoded; every range in them lies within the file.
struct Layout {
    bool is_64 = true;
    Machine machine = Machine::unknown;
    std::uint32_t file_type = 0;
    std::uint32_t flags = 0;
    std::vector<Command> commands;
    std::vector<Segment> segments;
    std::uint64_t section_count = 0;
    std::vector<std::string_view> libraries;  ///< in the order of the ordinals, which count from 1
    std::uint64_t run_paths = 0;
    Range symbols;  ///< `size` counts symbols
    Range strings;
    Range rebases, binds, weak_binds, lazy_binds, export_trie, chained_fixups, code_signature;

    [[nodiscard]] std::uint64_t header_size() const noexcept { return is_64 ? 32 : 28; }
    [[nodiscard]] std::uint64_t section_size() const noexcept { return is_64 ? 80 : 68; }
    [[nodiscard]] std::uint64_t symbol_size() const noexcept { return is_64 ? 16 : 12; }
    /// The address of the Mach-O header: what the export trie counts from.
    [[nodiscard]] std::uint64_t base() const noexcept;
};

/// Checks one slice, whose offsets count from its own start; throws Error with one line.
[[nodiscard]] Layout check(ByteView slice);

// The parts of `check`, a file each.
void check_command(ByteView slice, Layout& layout, const Command& command);  // guard_macho_commands.cpp
void check_symbols(ByteView slice, const Layout& layout);  // guard_macho_symbols.cpp

/// `x86_64`, `arm64e`, …; `cpu-16777223` for one without a name.
[[nodiscard]] std::string name_of_cpu(std::uint32_t type, std::uint32_t subtype);

struct Slice {
    std::string name;
    ByteView bytes;
};

/// The slices of a fat file, in its order; throws Error with one line.
[[nodiscard]] std::vector<Slice> fat_slices(ByteView file);  // fat_macho.cpp

}  // namespace nasm_build::inspect::macho
