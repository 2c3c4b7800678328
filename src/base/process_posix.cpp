// run_process() by posix_spawn: it neither copies this process's memory nor runs our code between fork and exec.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "base/process.hpp"

extern char** environ;

namespace nasm_build {

namespace {

using Clock = std::chrono::steady_clock;

// How long one wait lasts before signals and the program's end are looked at again.
constexpr std::chrono::milliseconds slice{50};

class FileDescriptor {
public:
    explicit FileDescriptor(int number = -1) : number_(number) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    FileDescriptor(FileDescriptor&&) = delete;
    FileDescriptor& operator=(FileDescriptor&&) = delete;
    ~FileDescriptor() { close(); }

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }
    void take(int number) {
        close();
        number_ = number;
    }
    void close() {
        if (number_ >= 0) {
            ::close(number_);
            number_ = -1;
        }
    }

private:
    int number_;
};

// Both ends are closed by any exec: without that another thread's program would hold the pipe open.
bool open_pipe(FileDescriptor& read_end, FileDescriptor& write_end) {
    std::array<int, 2> ends{};
#ifdef __APPLE__
    if (::pipe(ends.data()) != 0) {
        return false;
    }
    ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#else
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return false;
    }
#endif
    read_end.take(ends[0]);
    write_end.take(ends[1]);
    return true;
}

// While a program runs, the signals that would end this process wait: the program's group is ended first, and the
// signal arrives when the destructor lets it through. Otherwise Ctrl-C would leave a hanging program behind, because
// the terminal does not send it to another process group.
class DeferredSignals {
public:
    DeferredSignals() {
        ::sigemptyset(&deferred_);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
            ::sigaddset(&deferred_, signal);
        }
        ::pthread_sigmask(SIG_BLOCK, &deferred_, &before_);
    }
    DeferredSignals(const DeferredSignals&) = delete;
    DeferredSignals& operator=(const DeferredSignals&) = delete;
    DeferredSignals(DeferredSignals&&) = delete;
    DeferredSignals& operator=(DeferredSignals&&) = delete;
    ~DeferredSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    [[nodiscard]] const sigset_t& mask_before() const { return before_; }

    // A deferred signal waits that the process had not blocked before.
    [[nodiscard]] bool waiting() const {
        sigset_t pending;
        if (::sigpending(&pending) != 0) {
            return false;
        }
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
            if (::sigismember(&pending, signal) == 1 && ::sigismember(&before_, signal) == 0) {
                return true;
            }
        }
        return false;
    }

private:
    sigset_t deferred_{};
    sigset_t before_{};
};

class SpawnSettings {
public:
    SpawnSettings() {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    SpawnSettings(SpawnSettings&&) = delete;
    SpawnSettings& operator=(SpawnSettings&&) = delete;
    ~SpawnSettings() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&actions);
    }

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
};

// Returns 0 or the errno of the failure.
int spawn(const std::vector<std::string>& words, int output, const sigset_t& mask, pid_t& child) {
    SpawnSettings settings;
    ::posix_spawn_file_actions_adddup2(&settings.actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&settings.actions, output, STDERR_FILENO);
    ::posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
#endif
#endif
    // SIGPIPE may be ignored here, and the program would inherit that.
    sigset_t reset;
    ::sigemptyset(&reset);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
        ::sigaddset(&reset, signal);
    }
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
    flags = static_cast<short>(flags | POSIX_SPAWN_CLOEXEC_DEFAULT);
#endif
    ::posix_spawnattr_setflags(&settings.attributes, flags);
    ::posix_spawnattr_setpgroup(&settings.attributes, 0);
    ::posix_spawnattr_setsigmask(&settings.attributes, &mask);
    ::posix_spawnattr_setsigdefault(&settings.attributes, &reset);

    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));  // the interface lacks const; nothing writes to it
    }
    arguments.push_back(nullptr);
    return ::posix_spawnp(&child, arguments[0], &settings.actions, &settings.attributes, arguments.data(), environ);
}

// Takes what the pipe holds; false at its end.
bool read_available(int pipe, std::string& output, std::size_t limit) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    output.append(buffer.data(), std::min(static_cast<std::size_t>(count), limit - output.size()));
    return count > 0;
}

// Waits for output at most that long; true when there is some, or the end of it.
bool wait_for_output(int pipe, std::chrono::milliseconds time) {
    pollfd wanted{.fd = pipe, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, static_cast<int>(time.count())) > 0;
}

// Looks whether the child has ended and leaves it unreaped, so that its number, and with it its group's, is not reused
// before the group has been ended.
bool has_ended(pid_t child) {
    siginfo_t information{};
    return ::waitid(P_PID, static_cast<id_t>(child), &information, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           information.si_pid == child;
}

// Reads until the child has ended or must be; true when it ended by itself. What a program leaves running may hold the
// pipe open, so the end of the pipe alone is not waited for.
bool follow(pid_t child, FileDescriptor& pipe, const DeferredSignals& signals, Clock::time_point deadline,
            std::size_t limit, std::string& output) {
    std::chrono::milliseconds pause{1};
    while (Clock::now() < deadline && !signals.waiting()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (pipe.is_open() && wait_for_output(pipe.number(), std::min(left, slice))) {
            if (!read_available(pipe.number(), output, limit)) {
                pipe.close();
            }
            continue;
        }
        if (has_ended(child)) {
            // What it wrote between the wait and its end.
            while (pipe.is_open() && Clock::now() < deadline && wait_for_output(pipe.number(), {}) &&
                   read_available(pipe.number(), output, limit)) {
            }
            return true;
        }
        if (!pipe.is_open()) {
            ::poll(nullptr, 0, static_cast<int>(std::min(pause, slice).count()));
            pause *= 2;
        }
    }
    return has_ended(child);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& words, std::chrono::milliseconds limit_time,
                          std::size_t limit) {
    ProcessResult result;
    const Clock::time_point deadline = Clock::now() + limit_time;
    FileDescriptor read_end;
    FileDescriptor write_end;
    if (words.empty() || !open_pipe(read_end, write_end)) {
        result.status = words.empty() ? EINVAL : errno;
        return result;
    }
    const DeferredSignals signals;
    pid_t child = -1;
    result.status = spawn(words, write_end.number(), signals.mask_before(), child);
    write_end.close();
    if (result.status != 0) {
        return result;
    }
    const bool ended = follow(child, read_end, signals, deadline, limit, result.output);
    ::kill(-child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!ended) {
        result.end = ProcessResult::End::timed_out;
    } else if (WIFSIGNALED(status)) {
        result.end = ProcessResult::End::killed_by_signal;
        result.status = WTERMSIG(status);
    } else {
        result.end = ProcessResult::End::exited;
        result.status = WEXITSTATUS(status);
    }
    return result;
}

std::string system_message(int status) {
    return std::generic_category().message(status);
}

std::string signal_name(int signal) {
    struct Named {
        int number;
        const char* name;
    };
    static constexpr std::array<Named, 14> named{{{SIGHUP, "SIGHUP"},
                                                  {SIGINT, "SIGINT"},
                                                  {SIGQUIT, "SIGQUIT"},
                                                  {SIGILL, "SIGILL"},
                                                  {SIGTRAP, "SIGTRAP"},
                                                  {SIGABRT, "SIGABRT"},
                                                  {SIGBUS, "SIGBUS"},
                                                  {SIGFPE, "SIGFPE"},
                                                  {SIGKILL, "SIGKILL"},
                                                  {SIGSEGV, "SIGSEGV"},
                                                  {SIGPIPE, "SIGPIPE"},
                                                  {SIGTERM, "SIGTERM"},
                                                  {SIGSYS, "SIGSYS"},
                                                  {SIGXCPU, "SIGXCPU"}}};
    for (const Named& one : named) {
        if (one.number == signal) {
            return one.name;
        }
    }
    return "signal " + std::to_string(signal);
}

}  // namespace nasm_build
