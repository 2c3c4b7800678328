// Where the parts of a Mach-O object for x86-64 lie: its sections, symbols and relocations, with every number checked.
//
// Facts of <mach-o/loader.h>, <mach-o/nlist.h> and <mach-o/x86_64/reloc.h>. What an object of a compiler or of NASM never has
// (tables of linked files, scattered relocations, parts that overlap) is refused, so that a change of one part is a change of
// that part alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace nasm_build::toolchain {

/// What every damaged or lying object is answered with.
[[nodiscard]] Error not_a_macho_object();

/// The bytes of an object, to be read and changed. Numbers are little-endian, of 1 to 8 bytes; one that would lie outside is
/// the Error.
class ObjectBytes {
public:
    explicit ObjectBytes(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}

    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] std::span<const std::byte> part(std::uint64_t offset, std::uint64_t size) const;
    [[nodiscard]] std::uint64_t number(std::uint64_t offset, std::uint64_t size) const;
    void set_number(std::uint64_t offset, std::uint64_t size, std::uint64_t value);
    void resize(std::size_t size) { bytes_.resize(size); }
    void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    [[nodiscard]] std::vector<std::byte> release() && { return std::move(bytes_); }

private:
    std::vector<std::byte> bytes_;
};

/// A part of the file.
struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    [[nodiscard]] std::uint64_t end() const noexcept { return offset + size; }
};

struct MachoSection {
    std::string segment;
    std::string name;
    std::uint64_t address = 0;
    Range contents;  ///< empty where the file holds none
    bool is_code = false;
    bool is_compact_unwind = false;
};

struct MachoSymbol {
    std::string_view name;  ///< in the bytes that were read
    std::uint64_t value = 0;
    std::uint8_t type = 0;  ///< n_type
    std::uint8_t section = 0;  ///< from 1 on, of a symbol that is defined in one
    std::uint16_t details = 0;  ///< n_desc

    [[nodiscard]] bool is_global() const noexcept { return (type & 0x11U) != 0; }  ///< N_EXT, N_PEXT
    [[nodiscard]] bool is_debugging() const noexcept { return (type & 0xE0U) != 0; }
    [[nodiscard]] bool is_absolute() const noexcept { return !is_debugging() && (type & 0x0EU) == 0x02; }
    [[nodiscard]] bool is_in_section() const noexcept { return !is_debugging() && (type & 0x0EU) == 0x0E; }
    [[nodiscard]] bool is_weak() const noexcept { return (details & 0x80U) != 0; }  ///< N_WEAK_DEF
};

enum class MachoRelocationType : std::uint8_t {
    absolute = 0,
    relative = 1,
    branch = 2,
    got_load = 3,
    got = 4,
    subtractor = 5,
    relative_1 = 6,
    relative_2 = 7,
    relative_4 = 8,
    thread_local_variable = 9,
};

struct MachoRelocation {
    std::uint64_t place = 0;  ///< of the relocation itself in the file
    std::size_t section = 0;  ///< whose contents it changes, from 0 on
    std::uint64_t offset = 0;  ///< of the field in the section
    std::uint32_t target = 0;  ///< a symbol's number, or a section's from 1 on; 0 is an absolute address
    std::uint8_t width = 0;  ///< of the field, in bytes
    bool is_relative = false;  ///< to the field's own address
    bool names_symbol = false;  ///< r_extern
    MachoRelocationType type = MachoRelocationType::absolute;
};

struct MachoLayout {
    std::vector<MachoSection> sections;
    std::vector<MachoSymbol> symbols;
    std::vector<MachoRelocation> relocations;
    Range symbol_table;
    Range strings;
    std::optional<std::uint64_t> symbols_command;  ///< LC_SYMTAB; without it there are no symbols
    std::optional<std::uint64_t> groups_command;  ///< LC_DYSYMTAB
    Range indirect_symbols;
    bool is_parted_at_symbols =
        false;  ///< MH_SUBSECTIONS_VIA_SYMBOLS: a linker may move what begins at a symbol, or leave it out

    /// Where the field of a relocation lies in the file.
    [[nodiscard]] std::uint64_t field(const MachoRelocation& relocation) const {
        return sections[relocation.section].contents.offset + relocation.offset;
    }
};

inline constexpr std::uint64_t macho_symbol_size = 16;

/// Throws Error for bytes that are no whole Mach-O object for x86-64. The names are views into `object`.
[[nodiscard]] MachoLayout read_macho_layout(std::span<const std::byte> object);

}  // namespace nasm_build::toolchain
