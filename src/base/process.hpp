// Running another program and taking what it prints, on POSIX and on Windows.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace nasm_build {

struct ProcessResult {
    enum class End { exited, killed_by_signal, timed_out, not_started };
    End end = End::not_started;
    int status = 0;  ///< the exit status, the signal, or errno / GetLastError() when it was not started
    std::string output;  ///< standard output and standard error together, at most `limit` bytes
};

/// Runs `words[0]` (looked for in PATH when it names no folder) with an empty standard input, and waits for it.
///
/// The program gets a process group (on Windows a job) of its own, and none of this process's open files. When
/// `limit_time` has passed, the whole group is ended; when the program itself has ended, what it left running is ended
/// too, so nothing outlives the call. Output beyond `limit` bytes is read and dropped. Never throws for what the
/// program does.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& words, std::chrono::milliseconds limit_time,
                                        std::size_t limit = std::size_t{64} * 1024);

/// What a `not_started` status means, in the system's words: `Permission denied`.
[[nodiscard]] std::string system_message(int status);

/// A signal's name: `SIGKILL`; `signal 42` for one without a name. Windows has no signals and gives the latter.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace nasm_build
