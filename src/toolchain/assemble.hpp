// One run of NASM as a build needs it: a whole object or none, what it was made from, and what NASM said, with fixes.
#pragma once

#include <string>
#include <vector>

#include "toolchain/nasm_messages.hpp"

namespace nasm_build::toolchain {

struct Assembly {
    std::string nasm;
    std::vector<std::string> words;  ///< for NASM, before the source: flags of the target table, -I, -D
    std::string source;  ///< as NASM is to name it in messages and debug data: relative to the project
    std::string object;
    /// A second object, with line numbers for the inspector; then `object` is made without debug data. Empty: one object, as
    /// `words` say.
    std::string lined_object;
    std::string depfile;  ///< a rule for Make and Ninja with what `object` is made from; empty: none is written
    bool tells_inputs = false;  ///< the same in the answer, as NASM names them
    bool hides = false;  ///< global symbols, but entry points and `exports`
    std::vector<std::string> exports;
};

struct Assembled {
    bool is_made = false;
    std::vector<NasmProblem> problems;
    std::vector<std::string>
        inputs;  ///< what the object is made from, the source first; empty where it was not asked for
    std::string details;  ///< of a failure: the command as it was run, its status, and output that is no problem
};

/// Assembles. NASM runs in the working folder, without NASMENV, which would change objects unseen. The dependencies are those of
/// `nasm -M`: -MD leaves out includes in 2.16.00 and 2.16.01 (measured). Objects for macOS lose NASM's labels (macho_object.hpp).
/// Throws Error where NASM cannot be run or a file cannot be written; then, as after a failure, no new file is there.
[[nodiscard]] Assembled assemble(const Assembly& assembly);

}  // namespace nasm_build::toolchain
