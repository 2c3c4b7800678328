// POSIX, with what only Linux says of a process's memory; the run of damaged inputs is made on Linux.
#include "watch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if NASM_BUILD_SANITIZED
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace nasm_build::fuzz {

namespace {

// Plain memory: a signal handler may not allocate.
std::span<const std::byte> watched_input;
char watched_path[4096];
char watched_folder[2048];
unsigned watched_seconds = 0;

void write_now() noexcept {
    const int file = ::open(watched_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) {
        return;
    }
    std::size_t done = 0;
    while (done < watched_input.size()) {
        const ::ssize_t wrote = ::write(file, watched_input.data() + done, watched_input.size() - done);
        if (wrote <= 0) {
            break;
        }
        done += static_cast<std::size_t>(wrote);
    }
    ::close(file);
    const char text[] = "\nthe input was written to ";
    static_cast<void>(!::write(STDERR_FILENO, text, sizeof text - 1));
    static_cast<void>(!::write(STDERR_FILENO, watched_path, std::strlen(watched_path)));
    static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
}

void on_signal(int number) {
    write_now();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

}  // namespace

void start_watching(const std::filesystem::path& folder, unsigned alarm_seconds) {
    std::filesystem::create_directories(folder);
    std::snprintf(watched_folder, sizeof watched_folder, "%s", folder.c_str());
    watched_seconds = alarm_seconds;
#if NASM_BUILD_SANITIZED
    __sanitizer_set_death_callback(write_now);
#else
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(number, on_signal);
    }
#endif
    std::signal(SIGABRT, on_signal);
    std::signal(SIGALRM, on_signal);
}

void watch_input(std::span<const std::byte> input, const std::string& name) {
    watched_input = input;
    std::snprintf(watched_path, sizeof watched_path, "%s/%s", watched_folder, name.c_str());
    ::alarm(watched_seconds);
}

std::string write_watched_input() {
    write_now();
    return watched_path;
}

PeakMemory peak_memory() {
    // Asked after every input: one open file that is read again, without streams.
    static const int file = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    PeakMemory peak;
    char text[4096];
    const ::ssize_t size = ::pread(file, text, sizeof text - 1, 0);
    if (size <= 0) {
        return peak;
    }
    text[size] = '\0';
    const auto number = [&text](const char* name) -> std::uint64_t {
        const char* found = std::strstr(text, name);
        return found == nullptr ? 0 : std::strtoull(found + std::strlen(name), nullptr, 10) * 1024;
    };
    peak.resident = number("VmHWM:");
    peak.mapped = number("VmPeak:");
    return peak;
}

}  // namespace nasm_build::fuzz
