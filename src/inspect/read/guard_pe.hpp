// What the headers of a PE file promise, checked against the file's bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/contents.hpp"
#include "inspect/read/guard.hpp"

namespace nasm_build::inspect::pe {

// Numbers of Microsoft's PE format specification.
inline constexpr std::uint32_t section_executable = 0x20000000, section_readable = 0x40000000,
                               section_writable = 0x80000000;
inline constexpr std::uint16_t file_relocations_stripped = 0x0001, file_is_executable = 0x0002, file_is_dll = 0x2000;
inline constexpr std::uint16_t dll_high_entropy = 0x0020, dll_dynamic_base = 0x0040, dll_no_execute = 0x0100,
                               dll_control_flow_guard = 0x4000;
inline constexpr std::size_t directory_count = 16;

/// The numbered data directories.
enum Directory : std::uint8_t {
    export_directory,
    import_directory,
    resource_directory,
    exception_directory,
    certificate_directory,
    relocation_directory,
    debug_directory,
    architecture_directory,
    global_pointer_directory,
    tls_directory,
    load_config_directory,
    bound_import_directory,
    import_address_directory,
    delay_import_directory,
    clr_directory,
    reserved_directory,
};

struct Range {
    std::uint64_t header_offset = 0;  ///< where the file states it
    std::uint32_t address = 0;  ///< relative to the image; of the certificates, a file offset
    std::uint32_t size = 0;
};

struct SectionHeader {
    std::uint64_t header_offset = 0;
    std::string_view name;
    std::uint32_t address = 0;
    std::uint32_t memory_size = 0;
    std::uint32_t offset = 0;
    std::uint32_t file_size = 0;
    std::uint32_t characteristics = 0;
};

/// The file's headers, decoded; every range in them lies within the file.
struct Layout {
    bool is_64 = true;
    Machine machine = Machine::unknown;
    std::uint16_t characteristics = 0;
    std::uint16_t dll_characteristics = 0;
    std::uint64_t image_base = 0;
    std::uint64_t file_header = 0;  ///< offset of the COFF file header, after `PE\0\0`
    std::uint32_t image_size = 0;
    std::uint32_t headers_size = 0;
    std::uint64_t end_of_sections = 0;  ///< file offset behind the last section's bytes
    std::vector<SectionHeader> sections;
    std::array<Range, directory_count> directories;

    [[nodiscard]] std::uint64_t pointer() const noexcept { return is_64 ? 8 : 4; }
};

/// What the tables of imports and exports hold; counted here, and LIEF must give as many.
struct Tables {
    std::uint64_t imported_libraries = 0;
    std::uint64_t imported_symbols = 0;
    std::uint64_t delayed_libraries = 0;
    std::uint64_t delayed_symbols = 0;
    std::uint64_t delayed_end = 0;  ///< file offset of the row without a name, behind the last one; 0 without a table
    std::string name;  ///< the name inside the export table
    std::vector<Export> exports;
    std::vector<HiddenSymbol> exports_without_name;
    std::uint64_t export_table = 0;  ///< file offset; 0 without one
    std::uint64_t export_addresses = 0;  ///< entries of the address table that are not empty
};

/// The file offset of `length` bytes at an image-relative address, all in one section's or the headers' bytes.
[[nodiscard]] std::uint64_t offset_of(ByteView file, const Layout& layout, std::uint64_t address, std::uint64_t length,
                                      std::string_view what);

/// The text at an image-relative address; it ends within the same section.
[[nodiscard]] std::string_view text_at(ByteView file, const Layout& layout, std::uint64_t address,
                                       std::string_view what);

/// Checks headers, sections and the small directories; throws Error with one line.
[[nodiscard]] Layout check(ByteView file);

void check_directories(ByteView file, const Layout& layout);  // guard_pe_directories.cpp
/// The places of the imports' addresses go to the gatherer.
void check_imports(ByteView file, const Layout& layout, Tables& tables, NameBudget& budget,
                   ContentsGatherer& gatherer);  // guard_pe_imports.cpp
/// Gathers the sections' bytes and what the base relocations write.
void gather_contents(ByteView file, const Layout& layout, ContentsGatherer& gatherer);  // contents_pe.cpp
/// Decodes the export table: LIEF 0.12.3 loses the names of forwarders and second names of one address.
void read_exports(ByteView file, const Layout& layout, Tables& tables, NameBudget& budget);  // exports_pe.cpp
/// What the loader is told beyond the tables of names. Throws Error when the load configuration lies outside of the file.
[[nodiscard]] PeLoading read_loading(ByteView file, const Layout& layout);  // loading_pe.cpp

}  // namespace nasm_build::inspect::pe
