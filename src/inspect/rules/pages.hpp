// The page of each rule, docs/rules/ID.md, as it is built into the program: what `nasm-ext explain` prints.
#pragma once

#include <string_view>

namespace nasm_build::inspect {

/// The page's Markdown; empty for an id that has none.
[[nodiscard]] std::string_view rule_page(std::string_view id) noexcept;

}  // namespace nasm_build::inspect
