// Sentences that several rules need: lists of names, what a CPython is called.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/expectations.hpp"

namespace nasm_build::inspect {

/// `a`, `a and b`, `a, b and c`; beyond `most` names `a, b, c and 12 more`.
[[nodiscard]] std::string list_of(std::span<const std::string> names, std::size_t most = 5);

/// What the module is for, in words: `CPython 3.13`; `any CPython` when nobody said.
[[nodiscard]] std::string audience(const Expectations& expected);

/// The last part of the module's name: what the entry point is named after.
[[nodiscard]] std::string_view leaf_name(const Expectations& expected) noexcept;

}  // namespace nasm_build::inspect
