// Damage to a module's code and unwind tables, which leaves the rest of the file as it was: what the verifier of calling conventions reads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "layout.hpp"
#include "random.hpp"

namespace nasm_build::fuzz {

/// The tables `code` (its sections of code) and `unwind` (`.eh_frame`, `.pdata`, `.xdata`, `__unwind_info`, …) of a module; empty for a
/// file that is none, or not for x86-64.
[[nodiscard]] Layout layout_of_code(std::span<const std::byte> module);

/// A copy with instructions replaced, taken out, doubled, exchanged and led elsewhere, or with other damage in these tables.
[[nodiscard]] std::vector<std::byte> damage_code(std::span<const std::byte> module, const Layout& layout,
                                                 Random& random);

/// A copy whose code, or a part of it, is an instruction stream.
[[nodiscard]] std::vector<std::byte> with_stream(std::span<const std::byte> module, const Layout& layout,
                                                 Random& random);

}  // namespace nasm_build::fuzz
