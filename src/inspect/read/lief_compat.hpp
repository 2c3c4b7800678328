// What differs between LIEF 0.12.3 and LIEF 0.17 to 1.0.0, and how LIEF is called. No other file asks for LIEF's version.
//
// Enumerations moved and were renamed between the two: readers turn each value into the number of its format's specification
// at once, by `number_of`.
#pragma once

#include <LIEF/version.h>
#include <fmt/format.h>
#include <LIEF/ELF.hpp>
#include <LIEF/MachO.hpp>
#include <LIEF/PE.hpp>
#include <LIEF/logging.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"

// The parsers of 0.17 take what those of 1.0.0 do, and 0.17 is the first to define the parts of its version as numbers.
#ifdef LIEF_VERSION_MAJOR
#define NASM_BUILD_LIEF_0_17 1
#include <LIEF/BinaryStream/VectorStream.hpp>
#else
#define NASM_BUILD_LIEF_0_17 0
#endif

namespace nasm_build::inspect::lief {

/// The specification's number of one of LIEF's values.
template <typename T>
[[nodiscard]] constexpr std::uint64_t number_of(T value) noexcept {
    if constexpr (std::is_enum_v<T>) {
        return static_cast<std::uint64_t>(static_cast<std::underlying_type_t<T>>(value));
    } else {
        return static_cast<std::uint64_t>(value);
    }
}

/// Calls a parser of LIEF; what it throws and what it silently gives up on become one Error. LIEF's own log stays silent.
template <typename Parse>
[[nodiscard]] auto parsed(const Parse& parse) {
    static const bool silenced = (LIEF::logging::disable(), true);
    static_cast<void>(silenced);
    decltype(parse()) result;
    try {
        result = parse();
    } catch (const std::exception& error) {
        throw Error(fmt::format("the file is damaged: LIEF gave it up ({})", error.what()));
    }
    if (result == nullptr) {
        throw Error("the file is damaged: LIEF gave it up");
    }
    return result;
}

/// Dynamic symbols are counted by the section header, whose count the guard has compared with the hash table's.
[[nodiscard]] inline std::unique_ptr<LIEF::ELF::Binary> parse_elf(std::vector<std::uint8_t> bytes) {
#if NASM_BUILD_LIEF_0_17
    return parsed([&bytes] {
        LIEF::ELF::ParserConfig config;
        config.parse_relocations = false;
        config.parse_symtab_symbols = false;
        config.parse_notes = false;
        config.parse_overlay = false;
        config.count_mtd = LIEF::ELF::ParserConfig::DYNSYM_COUNT::SECTION;
        return LIEF::ELF::Parser::parse(std::make_unique<LIEF::VectorStream>(std::move(bytes)), config);
    });
#else
    return parsed(
        [&bytes] { return LIEF::ELF::Parser::parse(bytes, "", LIEF::ELF::DYNSYM_COUNT_METHODS::COUNT_SECTION); });
#endif
}

[[nodiscard]] inline std::unique_ptr<LIEF::PE::Binary> parse_pe(std::vector<std::uint8_t> bytes) {
#if NASM_BUILD_LIEF_0_17
    return parsed([&bytes] {
        LIEF::PE::ParserConfig config;
        config.parse_signature = false;
        config.parse_rsrc = false;
        config.parse_reloc = false;
        return LIEF::PE::Parser::parse(std::move(bytes), config);
    });
#else
    return parsed([&bytes] { return LIEF::PE::Parser::parse(std::move(bytes)); });
#endif
}

/// `quick` leaves out the opcodes of rebases and binds, on which 0.12.3 can run for ever.
[[nodiscard]] inline std::unique_ptr<LIEF::MachO::FatBinary> parse_macho(std::vector<std::uint8_t> bytes) {
    return parsed([&bytes] {
#if NASM_BUILD_LIEF_0_17
        return LIEF::MachO::Parser::parse(bytes, LIEF::MachO::ParserConfig::quick());
#else
        return LIEF::MachO::Parser::parse(bytes, "", LIEF::MachO::ParserConfig::quick());
#endif
    });
}

/// The export table of a PE file, or null when it has none.
[[nodiscard]] inline const LIEF::PE::Export* export_table(const LIEF::PE::Binary& binary) {
    if (!binary.has_exports()) {
        return nullptr;
    }
#if NASM_BUILD_LIEF_0_17
    return binary.get_export();
#else
    return &binary.get_export();
#endif
}

}  // namespace nasm_build::inspect::lief
