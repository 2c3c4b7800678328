// What the readers of the three formats of objects share: marking what a linker writes, and giving lines to sections.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "inspect/read/line_table.hpp"
#include "inspect/read/object.hpp"

namespace nasm_build::inspect {

/// A section of code without symbols and lines, none of whose bytes is patched.
[[nodiscard]] ObjectCode bare_code(std::string section, std::span<const std::byte> bytes);

/// Throws Error where the sections of code have more bytes than their object: they lie about their places, and what is kept for
/// each byte would be without a bound.
void require_disjoint_code(std::uint64_t code_size, std::uint64_t object_size);

/// Marks the bytes from `first` to before `end`, as far as the section has them.
void mark_patched(ObjectCode& code, std::uint64_t first, std::uint64_t end);

/// Gives each range to its section: `sections` holds the code by the number that the ranges give it, null where a number is no
/// section of code.
void give_lines(std::span<const LineTable::Range> ranges, std::span<const std::string> files,
                std::span<ObjectCode* const> sections);

}  // namespace nasm_build::inspect
