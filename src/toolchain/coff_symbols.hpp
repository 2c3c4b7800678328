// What a COFF object must be asked before a linker for Windows has it: the names that it defines, and the references that
// the linker would cut short.
//
// On ELF and Mach-O a pattern says which names leave the module; lld-link takes names alone. It also writes the low half of
// an address where an instruction has room for no more, without a word (measured, lld 14), and modules lie above 4 GB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

/// The external names that the object defines, sorted; they lie in the object's bytes. Throws Error for bytes that are no COFF object for x86-64.
[[nodiscard]] std::vector<std::string_view> defined_names(std::span<const std::byte> object);

/// A place that holds 32 bits of an absolute address (IMAGE_REL_AMD64_ADDR32).
struct ShortReference {
    std::string_view symbol;  ///< as the object names it; for a local name that of its section
    std::string_view section;
    std::uint32_t offset = 0;  ///< in the section

    friend bool operator==(const ShortReference&, const ShortReference&) = default;
};

/// Those of the object's code and data, in its order; their names lie in the object's bytes. Throws Error for bytes that are no COFF object for x86-64.
[[nodiscard]] std::vector<ShortReference> short_references(std::span<const std::byte> object);

/// Whether an interpreter looks for the name in a module: `PyInit_x`, `PyModExport_x` and their forms for names beyond
/// ASCII.
[[nodiscard]] bool is_entry_point(std::string_view name) noexcept;

}  // namespace nasm_build::toolchain
