// The relocatable ELF objects that NASM makes: which source lines refer to a symbol.
//
// A linked module carries no lines once it is stripped, and the linker's own message gives an offset; the object's relocations
// and its `.debug_line` give the line of the source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
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

/// A function or a label of an object's code.
struct ObjectSymbol {
    std::string name;
    std::uint64_t offset = 0;  ///< from the start of its section
    bool is_global = false;
};

/// The source lines of a run of code.
struct ObjectLines {
    std::uint64_t begin = 0;  ///< offsets from the start of the section
    std::uint64_t end = 0;
    std::string file;
    unsigned line = 0;
};

/// A section of code as the assembler made it.
struct ObjectCode {
    std::string section;
    std::span<const std::byte> bytes;  ///< of the object, which must outlive this
    std::vector<bool> is_patched;  ///< for each byte: the linker writes there
    std::vector<ObjectSymbol> symbols;
    std::vector<ObjectLines> lines;  ///< in order; empty without debug data
};

/// The sections of code of an object, in its order. Throws Error as `references` does.
[[nodiscard]] std::vector<ObjectCode> code_of_object(std::span<const std::byte> object);

}  // namespace nasm_build::inspect
