// One candidate: whether a file is a NASM that can be used, and why not.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace nasm_build::toolchain {

/// What is known of a file that might be NASM.
struct NasmCandidate {
    std::string version;  ///< as it says itself; empty when it was not accepted
    std::string warning;  ///< empty for most versions
    std::string reason;  ///< why it was not accepted; empty when it was
    bool too_old = false;  ///< it is a NASM, but one before 2.15.05
};

/// Looks at the file and, when it can be run, asks it for its version. Takes at most `time_limit`.
[[nodiscard]] NasmCandidate examine_nasm(const std::string& path, std::chrono::milliseconds time_limit);

}  // namespace nasm_build::toolchain
