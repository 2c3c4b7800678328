// Running another program and taking what it prints, on POSIX and on Windows.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace nasm_build {

struct ProcessResult {
    enum class End { exited, killed_by_signal, timed_out, not_started };
    End end = End::not_started;
    int status = 0;  ///< the exit status, the signal, or errno / GetLastError() when it was not started
    std::string output;  ///< standard output and standard error together, at most `limit` bytes
};

/// Runs `words[0]` with an empty standard input. It and its children are ended when `limit_time` has passed.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& words, std::chrono::milliseconds limit_time,
                                        std::size_t limit = 64 * 1024);

}  // namespace nasm_build
