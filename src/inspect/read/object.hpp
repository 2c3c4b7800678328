// The relocatable objects that NASM makes, of all three formats: their code with the lines of the source, and, of ELF, which
// lines refer to a symbol.
//
// A linked module carries no lines: those of ELF are stripped, those of Mach-O stay in the objects, those of COFF go into a PDB.
// The object has them: `.debug_line` of ELF and Mach-O, CodeView in `.debug$S` of COFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::inspect {

/// One relocation of an object that refers to a symbol by name.
struct Reference {
    std::string section;  ///< the section that is patched: `.text`
    std::uint64_t offset = 0;  ///< bytes from the start of that section to the patched place
    std::string relocation;  ///< the psABI's name: `R_X86_64_PC32`; `R_X86_64_<number>` for one without a name
    std::string file;  ///< the source file as the object's line table names it; empty when it has no line
    unsigned line = 0;  ///< counts from 1; 0 when the object has no line for the place
};

/// The references to `symbol` in section and offset order. Throws Error when `object` is not an ELF64 relocatable object for x86-64
/// that can be read. Damaged debug data gives references without lines, never an error.
[[nodiscard]] std::vector<Reference> references(std::span<const std::byte> object, std::string_view symbol);

/// Name of a symbol to the references to it.
using ReferencesBySymbol = std::map<std::string, std::vector<Reference>, std::less<>>;

/// The same for many symbols in one pass over the object. Every name asked for is a key, with an empty list when nothing refers to it.
[[nodiscard]] ReferencesBySymbol references(std::span<const std::byte> object, std::span<const std::string> symbols);

/// Every symbol that is referred to and not defined in the object, with its references.
[[nodiscard]] ReferencesBySymbol references_to_undefined(std::span<const std::byte> object);

enum class ObjectFormat : std::uint8_t { elf, coff, macho };

/// What the first bytes say that an object is: ELF, or COFF or Mach-O for x86-64, also as a half of a universal one. Nothing for the rest.
[[nodiscard]] std::optional<ObjectFormat> object_format(std::span<const std::byte> bytes) noexcept;

/// A function or a label of an object's code.
struct ObjectSymbol {
    std::string name;  ///< without the underscore that Mach-O puts before a name of C
    std::uint64_t offset = 0;  ///< from the start of its section
    bool is_global = false;
};

/// The source lines of a run of code.
struct ObjectLines {
    std::uint64_t begin = 0;  ///< offsets from the start of the section
    std::uint64_t end = 0;
    std::uint32_t file = 0;  ///< in `ObjectCode::files`
    std::uint32_t line = 0;  ///< counts from 1
};

/// A section of code as the assembler made it.
struct ObjectCode {
    std::string section;
    std::span<const std::byte> bytes;  ///< of the object, which must outlive this
    std::vector<bool> is_patched;  ///< for each byte: the linker writes there
    std::vector<ObjectSymbol> symbols;
    std::vector<ObjectLines> lines;  ///< in order; empty without debug data
    std::vector<std::string> files;  ///< as the debug data calls them
    /// Offsets, in order and without 0, at which the linker may part the section and leave parts out: Mach-O's
    /// subsections via symbols. Empty where it stays one piece.
    std::vector<std::uint64_t> cuts;
};

/// The sections of code of an object, in its order. Throws Error for an object that is damaged, of another processor or none at
/// all; damaged debug data gives no lines, never an error.
[[nodiscard]] std::vector<ObjectCode> code_of_object(std::span<const std::byte> object);

}  // namespace nasm_build::inspect
