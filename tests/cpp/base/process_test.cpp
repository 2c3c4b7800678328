// Running programs: output, ends of every kind, limits, and that nothing is left behind. POSIX shells play the programs.
#include "base/process.hpp"

#include <gtest/gtest.h>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

namespace nasm_build {
namespace {

using namespace std::chrono_literals;
using End = ProcessResult::End;

std::vector<std::string> shell(const std::string& script) {
    return {"/bin/sh", "-c", script};
}

bool wait_until(const std::function<bool()>& condition) {
    for (int round = 0; round < 500; ++round) {
        if (condition()) {
            return true;
        }
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

// A file name that no other test has; the file is not made.
std::string fresh_file() {
    static int count = 0;
    return (std::filesystem::temp_directory_path() /
            ("nasm-build-process-" + std::to_string(::getpid()) + "-" + std::to_string(count++)))
        .string();
}

pid_t number_in(const std::string& file) {
    std::ifstream stream(file);
    pid_t number = 0;
    stream >> number;
    return number;
}

// Whether the process still runs; one that nobody has reaped yet does not.
bool is_running(pid_t process) {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(stat, text);
    const std::size_t name_end = text.rfind(')');
    return name_end != std::string::npos && text.substr(name_end + 2, 1) != "Z";
}

TEST(RunProcess, TakesBothOutputsAndTheExitStatus) {
    const ProcessResult result = run_process(shell("echo out; echo err >&2; exit 3"), 10s);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(RunProcess, PassesWordsAsTheyAre) {
    const ProcessResult result = run_process({"printf", "%s|", "", "two words", "'\"$HOME", "*"}, 10s);
    EXPECT_EQ(result.output, "|two words|'\"$HOME|*|");
}

TEST(RunProcess, GivesAnEmptyInput) {
    EXPECT_EQ(run_process({"cat"}, 10s).end, End::exited);
}

TEST(RunProcess, TellsASignal) {
    const ProcessResult result = run_process(shell("kill -SEGV $$"), 10s);
    EXPECT_EQ(result.end, End::killed_by_signal);
    EXPECT_EQ(result.status, SIGSEGV);
    EXPECT_EQ(signal_name(result.status), "SIGSEGV");
}

TEST(RunProcess, TellsWhyAProgramDidNotStart) {
    const ProcessResult missing = run_process({"/nowhere/at/all"}, 10s);
    EXPECT_EQ(missing.end, End::not_started);
    EXPECT_EQ(missing.status, ENOENT);
    EXPECT_EQ(system_message(missing.status), "No such file or directory");

    const std::string file = fresh_file();
    std::ofstream(file) << "not a program\n";
    EXPECT_EQ(run_process({file}, 10s).status, EACCES);
    ASSERT_EQ(::chmod(file.c_str(), 0755), 0);
    EXPECT_EQ(run_process({file}, 10s).status, ENOEXEC);
    std::filesystem::remove(file);

    EXPECT_EQ(run_process({}, 10s).end, End::not_started);
}

TEST(RunProcess, EndsTheWholeGroupWhenTheTimeIsOver) {
    const std::string file = fresh_file();
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result = run_process(shell("sleep 60 & echo $! > " + file + "; echo before; wait"), 300ms);
    const auto taken = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(result.end, End::timed_out);
    EXPECT_EQ(result.output, "before\n");
    EXPECT_GE(taken, 300ms);
    EXPECT_LT(taken, 5s);
    const pid_t grandchild = number_in(file);
    ASSERT_GT(grandchild, 0);
    EXPECT_TRUE(wait_until([&] { return !is_running(grandchild); }));
    std::filesystem::remove(file);
}

TEST(RunProcess, EndsAProgramThatIgnoresPoliteSignals) {
    EXPECT_EQ(run_process(shell("trap '' TERM INT HUP; while :; do sleep 1; done"), 200ms).end, End::timed_out);
}

TEST(RunProcess, DoesNotWaitForWhatTheProgramLeftRunningAndEndsIt) {
    const std::string file = fresh_file();
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result = run_process(shell("sleep 60 & echo $! > " + file + "; echo done"), 30s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.output, "done\n");
    const pid_t grandchild = number_in(file);
    ASSERT_GT(grandchild, 0);
    EXPECT_TRUE(wait_until([&] { return !is_running(grandchild); }));
    std::filesystem::remove(file);
}

TEST(RunProcess, WaitsForAProgramThatClosesItsOutput) {
    const ProcessResult result = run_process(shell("exec >/dev/null 2>&1; sleep 0.2; exit 7"), 10s);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.status, 7);
}

TEST(RunProcess, KeepsAtMostTheLimitAndLetsTheProgramEnd) {
    const ProcessResult result = run_process(shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 4"), 30s, 1000);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.status, 4);
    EXPECT_EQ(result.output, std::string(1000, 'x'));
}

TEST(RunProcess, EndsAProgramThatNeverStopsPrinting) {
    const ProcessResult result = run_process({"yes"}, 300ms);
    EXPECT_EQ(result.end, End::timed_out);
    EXPECT_EQ(result.output.size(), 64U * 1024U);
}

TEST(RunProcess, HandsNoOpenFilesOn) {
    const int open_file = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a careless library opens it
    ASSERT_GE(open_file, 0);
    const ProcessResult result = run_process(shell("ls /proc/self/fd"), 10s);
    ::close(open_file);
    // 3 is the folder that ls itself reads.
    EXPECT_EQ(result.output, "0\n1\n2\n3\n");
}

TEST(RunProcess, LeavesNoOpenFilesHere) {
    const auto count = [] {
        const std::filesystem::directory_iterator files("/proc/self/fd");
        return std::distance(begin(files), end(files));
    };
    const auto before = count();
    for (int round = 0; round < 20; ++round) {
        (void)run_process({"true"}, 10s);
        (void)run_process({"/nowhere/at/all"}, 10s);
    }
    EXPECT_EQ(count(), before);
}

TEST(RunProcess, LeavesTheSignalMaskAlone) {
    sigset_t mask;
    (void)run_process({"true"}, 10s);
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
    EXPECT_EQ(::sigismember(&mask, SIGINT), 0);
    EXPECT_EQ(::sigismember(&mask, SIGTERM), 0);
}

TEST(RunProcess, GivesTheProgramDefaultSignals) {
    // `yes | head` ends only because SIGPIPE ends `yes`, and here it is ignored.
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    const ProcessResult result = run_process(shell("yes | head -n 1"), 10s);
    ::signal(SIGPIPE, before);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.output, "y\n");
}

TEST(RunProcess, ASignalToUsEndsTheProgramToo) {
    const std::string file = fresh_file();
    const pid_t runner = ::fork();
    if (runner == 0) {
        (void)run_process(shell("echo $$ > " + file + "; sleep 60"), 60s);
        ::_exit(0);
    }
    ASSERT_TRUE(wait_until([&] { return number_in(file) > 0; }));
    const pid_t program = number_in(file);
    ASSERT_EQ(::kill(runner, SIGINT), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(runner, &status, 0), runner);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    EXPECT_TRUE(wait_until([&] { return !is_running(program); }));
    std::filesystem::remove(file);
}

TEST(SignalName, NamesTheUsualOnes) {
    EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
    EXPECT_EQ(signal_name(SIGABRT), "SIGABRT");
    EXPECT_EQ(signal_name(42), "signal 42");
}

}  // namespace
}  // namespace nasm_build
#endif
