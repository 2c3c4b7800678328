// The numbers of the Mach-O format that the loader reads, by the names that <mach-o/loader.h>, <mach-o/fat.h>,
// <mach-o/nlist.h> and <mach-o/fixup-chains.h> give them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace macho_loader::format {

constexpr std::uint32_t FAT_MAGIC = 0xcafebabe;  // big-endian, as everything in a fat header
constexpr std::uint32_t FAT_MAGIC_64 = 0xcafebabf;
constexpr std::uint32_t MH_MAGIC_64 = 0xfeedfacf;
constexpr std::uint32_t MH_MAGIC = 0xfeedface;
constexpr std::uint32_t CPU_TYPE_X86_64 = 0x01000007;
constexpr std::uint32_t CPU_TYPE_ARM64 = 0x0100000c;
constexpr std::uint32_t MH_DYLIB = 6;
constexpr std::uint32_t MH_BUNDLE = 8;
constexpr std::size_t MACH_HEADER_SIZE = 32;

constexpr std::uint32_t LC_REQ_DYLD = 0x80000000;  // a loader that does not know such a command must refuse the file
constexpr std::uint32_t LC_SYMTAB = 0x2;
constexpr std::uint32_t LC_DYSYMTAB = 0xb;
constexpr std::uint32_t LC_LOAD_DYLIB = 0xc;
constexpr std::uint32_t LC_SEGMENT_64 = 0x19;
constexpr std::uint32_t LC_ROUTINES_64 = 0x1a;
constexpr std::uint32_t LC_LOAD_WEAK_DYLIB = 0x18 | LC_REQ_DYLD;
constexpr std::uint32_t LC_RPATH = 0x1c | LC_REQ_DYLD;
constexpr std::uint32_t LC_REEXPORT_DYLIB = 0x1f | LC_REQ_DYLD;
constexpr std::uint32_t LC_DYLD_INFO = 0x22;
constexpr std::uint32_t LC_DYLD_INFO_ONLY = 0x22 | LC_REQ_DYLD;
constexpr std::uint32_t LC_LOAD_UPWARD_DYLIB = 0x23 | LC_REQ_DYLD;
constexpr std::uint32_t LC_ENCRYPTION_INFO_64 = 0x2c;
constexpr std::uint32_t LC_DYLD_EXPORTS_TRIE = 0x33 | LC_REQ_DYLD;
constexpr std::uint32_t LC_DYLD_CHAINED_FIXUPS = 0x34 | LC_REQ_DYLD;

constexpr std::size_t SEGMENT_COMMAND_SIZE = 72;
constexpr std::size_t SECTION_SIZE = 80;
constexpr std::size_t NLIST_SIZE = 16;
constexpr std::uint32_t VM_PROT_WRITE = 2;
constexpr std::uint32_t VM_PROT_EXECUTE = 4;
constexpr std::uint32_t SG_READ_ONLY = 0x10;  // to be made read-only once it is fixed up

constexpr std::uint32_t SECTION_TYPE = 0xff;
constexpr std::uint32_t S_MOD_INIT_FUNC_POINTERS = 0x9;
constexpr std::uint32_t S_MOD_TERM_FUNC_POINTERS = 0xa;
constexpr std::uint32_t S_INTERPOSING = 0xd;
constexpr std::uint32_t S_THREAD_LOCAL_REGULAR = 0x11;
constexpr std::uint32_t S_THREAD_LOCAL_INIT_FUNCTION_POINTERS = 0x15;
constexpr std::uint32_t S_INIT_FUNC_OFFSETS = 0x16;

constexpr std::uint8_t N_STAB = 0xe0;
constexpr std::uint8_t N_PEXT = 0x10;
constexpr std::uint8_t N_TYPE = 0x0e;
constexpr std::uint8_t N_EXT = 0x01;
constexpr std::uint8_t N_SECT = 0x0e;

constexpr int BIND_SPECIAL_DYLIB_SELF = 0;
constexpr int BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE = -1;
constexpr int BIND_SPECIAL_DYLIB_FLAT_LOOKUP = -2;
constexpr int BIND_SPECIAL_DYLIB_WEAK_LOOKUP = -3;
constexpr std::uint8_t BIND_SYMBOL_FLAGS_WEAK_IMPORT = 0x1;
constexpr std::uint8_t BIND_SYMBOL_FLAGS_NON_WEAK_DEFINITION = 0x8;
constexpr std::uint8_t OPCODE_MASK = 0xf0;
constexpr std::uint8_t IMMEDIATE_MASK = 0x0f;

constexpr std::uint64_t EXPORT_SYMBOL_FLAGS_KIND_MASK = 0x3;
constexpr std::uint64_t EXPORT_SYMBOL_FLAGS_KIND_REGULAR = 0x0;
constexpr std::uint64_t EXPORT_SYMBOL_FLAGS_REEXPORT = 0x8;
constexpr std::uint64_t EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER = 0x10;

constexpr std::uint16_t DYLD_CHAINED_PTR_64 = 2;  // a rebase holds an address
constexpr std::uint16_t DYLD_CHAINED_PTR_64_OFFSET = 6;  // a rebase holds an offset from the Mach-O header
constexpr std::uint16_t DYLD_CHAINED_PTR_START_NONE = 0xffff;
constexpr std::uint16_t DYLD_CHAINED_PTR_START_MULTI = 0x8000;
constexpr std::uint32_t DYLD_CHAINED_IMPORT = 1;
constexpr std::uint32_t DYLD_CHAINED_IMPORT_ADDEND = 2;
constexpr std::uint32_t DYLD_CHAINED_IMPORT_ADDEND64 = 3;

}  // namespace macho_loader::format
