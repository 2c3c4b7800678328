// What NASM prints, as problems with a place and a fix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

struct NasmProblem {
    std::string file;  ///< as NASM names it; the source where it names none
    std::uint64_t line = 0;  ///< 0 where it names none
    bool is_error = false;
    std::string text;
    std::string fix;  ///< empty where none is known

    bool operator==(const NasmProblem&) const = default;
};

/// The errors and warnings in NASM's output, each once, in its order. `searched` are the include folders, for the fix of a
/// missing include.
[[nodiscard]] std::vector<NasmProblem> problems_in(std::string_view output, const std::string& source,
                                                   const std::vector<std::string>& searched);

/// `file:line: error: what is wrong [nasm]`, and its fix on a line of its own; without an end of line.
[[nodiscard]] std::string rendered(const NasmProblem& problem);

}  // namespace nasm_build::toolchain
