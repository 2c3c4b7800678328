#include "toolchain/hide_symbols.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/byte_view.hpp"
#include "base/error.hpp"
#include "toolchain/coff_symbols.hpp"
#include "toolchain/macho_layout.hpp"

namespace nasm_build::toolchain {

namespace {

bool stays(std::string_view name, const std::vector<std::string>& exports) {
    return is_entry_point(name) || std::find(exports.begin(), exports.end(), name) != exports.end();
}

// System V ABI, chapter 4: the header, section headers and symbols of 64-bit little-endian files.
std::vector<std::byte> hide_in_elf(std::span<const std::byte> bytes, const std::vector<std::string>& exports) {
    constexpr std::uint64_t symbol_size = 24, header_size = 64;
    constexpr std::uint32_t symbol_table = 2;  // SHT_SYMTAB
    constexpr std::uint8_t local = 0, default_visibility = 0, hidden = 2;
    const ByteView file(bytes);
    std::vector<std::byte> changed(bytes.begin(), bytes.end());
    const auto first = file.load<std::uint64_t>(40);
    const auto count = file.load<std::uint16_t>(60);
    const ByteView headers = file.part(first, std::uint64_t{count} * header_size);
    for (std::uint64_t section = 0; section < count; ++section) {
        const ByteView header = headers.part(section * header_size, header_size);
        if (header.load<std::uint32_t>(4) != symbol_table) {
            continue;
        }
        const auto table_offset = header.load<std::uint64_t>(24);
        const ByteView table = file.part(table_offset, header.load<std::uint64_t>(32));
        const ByteView names_header = headers.part(header.load<std::uint32_t>(40) * header_size, header_size);
        const ByteView names = file.part(names_header.load<std::uint64_t>(24), names_header.load<std::uint64_t>(32));
        for (std::uint64_t at = 0; at + symbol_size <= table.size(); at += symbol_size) {
            const auto name = names.text(table.load<std::uint32_t>(at));
            const bool is_local = table.load<std::uint8_t>(at + 4) >> 4U == local;
            const bool is_defined = table.load<std::uint16_t>(at + 6) != 0;
            const bool is_default = table.load<std::uint8_t>(at + 5) == default_visibility;
            if (name && !is_local && is_defined && is_default && !stays(*name, exports)) {
                changed[static_cast<std::size_t>(table_offset + at + 5)] = std::byte{hidden};
            }
        }
    }
    return changed;
}

std::vector<std::byte> hide_in_macho(std::span<const std::byte> bytes, const std::vector<std::string>& exports) {
    constexpr std::uint64_t type_offset = 4;
    constexpr std::uint8_t external = 0x01, private_external = 0x10;  // N_EXT, N_PEXT
    const MachoLayout layout = read_macho_layout(bytes);
    ObjectBytes changed(bytes);
    for (std::size_t index = 0; index < layout.symbols.size(); ++index) {
        const MachoSymbol& symbol = layout.symbols[index];
        std::string_view name = symbol.name;
        name.remove_prefix(name.starts_with('_') ? 1 : 0);
        const bool is_defined = symbol.is_in_section() || symbol.is_absolute();
        if ((symbol.type & external) != 0 && is_defined && !stays(name, exports)) {
            changed.set_number(layout.symbol_table.offset + index * macho_symbol_size + type_offset, 1,
                               symbol.type | private_external);
        }
    }
    return std::move(changed).release();
}

}  // namespace

std::vector<std::byte> hide_symbols(std::span<const std::byte> object, const std::vector<std::string>& exports) {
    constexpr std::uint32_t elf_magic = 0x464C457F, macho_magic = 0xFEEDFACF;
    const auto magic = object.size() < 4 ? std::uint32_t{0} : ByteView(object).load<std::uint32_t>(0);
    if (magic == elf_magic) {
        return hide_in_elf(object, exports);
    }
    if (magic == macho_magic) {
        return hide_in_macho(object, exports);
    }
    return {object.begin(), object.end()};
}

}  // namespace nasm_build::toolchain
