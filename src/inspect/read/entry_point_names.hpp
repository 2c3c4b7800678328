// Which symbol names readers keep although they cannot be found by name: those that look like a module's entry point,
// and those by which an interpreter is told.
#pragma once

#include <string_view>

namespace nasm_build::inspect {

/// Whether a name contains `PyInit` or `PyModExport`, in any case. A library has hundreds of thousands of names, and this is
/// asked of each: both words begin alike, and hardly a name goes on from there.
[[nodiscard]] constexpr bool looks_like_entry_point(std::string_view name) noexcept {
    const auto lower = [name](std::size_t at) { return static_cast<char>(name[at] | 0x20); };  // of a letter
    const auto goes_on = [&](std::size_t from, std::string_view word) {
        if (name.size() - from < word.size()) {
            return false;
        }
        for (std::size_t i = 0; i < word.size(); ++i) {
            if (lower(from + i) != word[i]) {
                return false;
            }
        }
        return true;
    };
    for (std::size_t at = 0; at + 2 < name.size(); ++at) {
        if (lower(at) == 'p' && lower(at + 1) == 'y' && (goes_on(at + 2, "init") || goes_on(at + 2, "modexport"))) {
            return true;
        }
    }
    return false;
}

static_assert(looks_like_entry_point("PyInit") && looks_like_entry_point("_pYmODeXPORT_x"));
static_assert(!looks_like_entry_point("PyIni") && !looks_like_entry_point("PyModExpor") &&
              !looks_like_entry_point("py"));

/// Whether a name is one that only an interpreter defines: what a libpython that was linked in statically brings.
[[nodiscard]] constexpr bool is_of_interpreter(std::string_view name) noexcept {
    return name == "_PyRuntime" || name == "Py_Initialize" || name == "Py_InitializeFromConfig";
}

}  // namespace nasm_build::inspect
