// Text that several parts need: the nearest name for a misspelt one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build {

/// The Damerau-Levenshtein distance (optimal string alignment), or `limit + 1` as soon as it is known to be larger.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit);

/// The candidate nearest to `name`, if one is near enough to be what was meant (a third of the length, at most 3 edits);
/// empty otherwise. A letter in the other case counts half an edit, and a name that differs in case alone always wins.
/// Of equally near ones the first wins.
[[nodiscard]] std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace nasm_build
