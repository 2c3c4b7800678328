// What the headers of a little-endian ELF file promise, checked against the file's bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/guard.hpp"

namespace nasm_build::inspect::elf {

// Numbers of the System V gABI and the GNU extensions.
inline constexpr std::uint16_t et_rel = 1, et_exec = 2, et_dyn = 3;
inline constexpr std::uint32_t pt_null = 0, pt_load = 1, pt_dynamic = 2, pt_note = 4, pt_tls = 7,
                               pt_gnu_stack = 0x6474E551, pt_gnu_relro = 0x6474E552, pt_gnu_property = 0x6474E553;
inline constexpr std::uint32_t pf_x = 1, pf_w = 2, pf_r = 4;
inline constexpr std::uint32_t sht_null = 0, sht_progbits = 1, sht_symtab = 2, sht_strtab = 3, sht_rela = 4,
                               sht_note = 7, sht_nobits = 8, sht_rel = 9, sht_dynsym = 11;
inline constexpr std::uint64_t shf_write = 1, shf_alloc = 2, shf_execinstr = 4, shf_tls = 0x400;
inline constexpr std::uint64_t dt_null = 0, dt_needed = 1, dt_pltrelsz = 2, dt_hash = 4, dt_strtab = 5, dt_symtab = 6,
                               dt_rela = 7, dt_relasz = 8, dt_relaent = 9, dt_strsz = 10, dt_syment = 11,
                               dt_soname = 14, dt_rpath = 15, dt_rel = 17, dt_relsz = 18, dt_relent = 19,
                               dt_pltrel = 20, dt_textrel = 22, dt_jmprel = 23, dt_bind_now = 24, dt_init_array = 25,
                               dt_fini_array = 26, dt_init_arraysz = 27, dt_fini_arraysz = 28, dt_runpath = 29,
                               dt_flags = 30, dt_preinit_array = 32, dt_preinit_arraysz = 33, dt_relrsz = 35,
                               dt_relr = 36, dt_relrent = 37, dt_gnu_hash = 0x6FFFFEF5, dt_versym = 0x6FFFFFF0,
                               dt_flags_1 = 0x6FFFFFFB, dt_verdef = 0x6FFFFFFC, dt_verdefnum = 0x6FFFFFFD,
                               dt_verneed = 0x6FFFFFFE, dt_verneednum = 0x6FFFFFFF;
inline constexpr std::uint64_t df_textrel = 4, df_bind_now = 8, df_static_tls = 0x10, df_1_now = 1, df_1_noopen = 0x40,
                               df_1_pie = 0x08000000;

struct Segment {
    std::uint64_t header_offset = 0;
    std::uint32_t type = 0;
    std::uint32_t flags = 0;
    std::uint64_t offset = 0;
    std::uint64_t address = 0;
    std::uint64_t file_size = 0;
    std::uint64_t memory_size = 0;
    std::uint64_t alignment = 0;
};

struct SectionHeader {
    std::uint64_t header_offset = 0;
    std::uint32_t name = 0;
    std::uint32_t type = 0;
    std::uint64_t flags = 0;
    std::uint64_t address = 0;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint32_t link = 0;
    std::uint32_t info = 0;
    std::uint64_t alignment = 0;
    std::uint64_t entry_size = 0;
};

struct DynamicEntry {
    std::uint64_t header_offset = 0;
    std::uint64_t tag = 0;
    std::uint64_t value = 0;
};

/// A table of relocations of the dynamic linker.
struct RelocationTable {
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
    bool with_addend = false;
};

/// The file's headers, decoded; every range in them lies within the file.
struct Layout {
    bool is_64 = true;
    std::uint16_t type = 0;
    Machine machine = Machine::unknown;
    std::uint64_t section_headers = 0;  ///< offset of the table; 0 when it was stripped
    std::vector<Segment> segments;
    std::vector<SectionHeader> sections;
    std::vector<DynamicEntry> dynamic;  ///< up to and with DT_NULL
    ByteView dynamic_strings;
    std::uint64_t symbols_offset = 0;  ///< of the dynamic symbols
    std::uint64_t symbol_count = 0;  ///< of the dynamic symbols, the null symbol included
    std::vector<RelocationTable> relocations;
    RelocationTable relative;  ///< DT_RELR: `count` words
    std::uint64_t needed_versions = 0;  ///< records of DT_VERNEED
    std::uint64_t defined_versions = 0;  ///< records of DT_VERDEF
    bool has_symbol_versions = false;  ///< DT_VERSYM
    bool needs_packed_relocations_mark = false;  ///< DT_VERNEED names GLIBC_ABI_DT_RELR

    [[nodiscard]] std::uint64_t word() const noexcept { return is_64 ? 8 : 4; }
    [[nodiscard]] std::uint64_t symbol_size() const noexcept { return is_64 ? 24 : 16; }
    [[nodiscard]] const DynamicEntry* find(std::uint64_t tag) const noexcept;
    /// The value of a tag, or 0.
    [[nodiscard]] std::uint64_t value(std::uint64_t tag) const noexcept;
};

/// Reads a word of the file's class.
[[nodiscard]] std::uint64_t load_word(ByteView file, const Layout& layout, std::uint64_t offset);

/// The file offset of `length` bytes at an address, all in the file part of one PT_LOAD; throws Error naming `what`.
[[nodiscard]] std::uint64_t offset_of(const Layout& layout, std::uint64_t address, std::uint64_t length,
                                      std::string_view what);

/// Checks the whole file; throws Error with one line.
[[nodiscard]] Layout check(ByteView file);

// The parts of `check`, a file each.
void check_dynamic(ByteView file, Layout& layout);  // guard_elf_dynamic.cpp
void check_symbol_versions(ByteView file, Layout& layout);  // guard_elf_versions.cpp
/// The number of dynamic symbols by DT_HASH or DT_GNU_HASH; 0 when neither says.
[[nodiscard]] std::uint64_t symbols_by_hash(ByteView file, const Layout& layout);  // guard_elf_hash.cpp
void check_relocations(ByteView file, Layout& layout);  // relocations_elf.cpp

}  // namespace nasm_build::inspect::elf
