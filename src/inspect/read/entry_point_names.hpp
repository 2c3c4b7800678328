// Which symbol names readers keep although they cannot be found by name: those that look like a module's entry point.
#pragma once

#include <string_view>

namespace nasm_build::inspect {

/// Whether a name contains `PyInit` or `PyModExport`, in any case.
[[nodiscard]] constexpr bool looks_like_entry_point(std::string_view name) noexcept {
    const auto contains = [name](std::string_view word) {
        for (std::size_t start = 0; start + word.size() <= name.size(); ++start) {
            std::size_t same = 0;
            while (same < word.size()) {
                const char c = name[start + same];
                if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[same]) {
                    break;
                }
                ++same;
            }
            if (same == word.size()) {
                return true;
            }
        }
        return false;
    };
    return contains("pyinit") || contains("pymodexport");
}

}  // namespace nasm_build::inspect
