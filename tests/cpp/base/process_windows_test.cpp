// Running programs on Windows: output, ends of every kind, limits, and that nothing is left behind. cmd.exe plays them.
#ifdef _WIN32
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/process.hpp"
#include "base/windows_text.hpp"

namespace nasm_build {
namespace {

using namespace std::chrono_literals;
using End = ProcessResult::End;

const std::string for_ever = "for /l %%i in (1,0,2) do rem";

// A batch file that no other test has, removed with the object.
class BatchFile {
public:
    explicit BatchFile(const std::string& text)
        : path_(std::filesystem::temp_directory_path() /
                ("nasm-build-" + std::to_string(GetCurrentProcessId()) + "-" + std::to_string(count_++) + ".cmd")) {
        std::ofstream(path_) << "@echo off\n" << text << '\n';
    }
    BatchFile(const BatchFile&) = delete;
    BatchFile& operator=(const BatchFile&) = delete;
    BatchFile(BatchFile&&) = delete;
    BatchFile& operator=(BatchFile&&) = delete;
    ~BatchFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    [[nodiscard]] std::vector<std::string> words() const { return {"cmd.exe", "/d", "/c", path_to_utf8(path_)}; }

private:
    static inline int count_ = 0;
    std::filesystem::path path_;
};

DWORD open_handles() {
    DWORD count = 0;
    GetProcessHandleCount(GetCurrentProcess(), &count);
    return count;
}

TEST(RunProcessOnWindows, TakesBothOutputsAndTheExitStatus) {
    const BatchFile program("echo out\necho err>&2\nexit 3");
    const ProcessResult result = run_process(program.words(), 30s);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.output, "out\r\nerr\r\n");
}

TEST(RunProcessOnWindows, GivesAnEmptyInput) {
    const BatchFile program("set /p line=\necho [%line%]");
    const ProcessResult result = run_process(program.words(), 30s);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.output, "[]\r\n");
}

TEST(RunProcessOnWindows, TellsWhyAProgramDidNotStart) {
    const ProcessResult missing = run_process({"C:\\nowhere\\at\\all.exe"}, 30s);
    EXPECT_EQ(missing.end, End::not_started);
    EXPECT_TRUE(missing.status == ERROR_FILE_NOT_FOUND || missing.status == ERROR_PATH_NOT_FOUND) << missing.status;
    const std::string message = system_message(missing.status);
    ASSERT_FALSE(message.empty());
    EXPECT_NE(message.find("found"), std::string::npos) << message;
    EXPECT_EQ(message.find_first_of("\r\n"), std::string::npos) << message;
    EXPECT_NE(message.back(), '.');

    const std::string of_a_file = system_message(ERROR_BAD_EXE_FORMAT);
    EXPECT_NE(of_a_file.find("the file"), std::string::npos) << of_a_file;
    EXPECT_EQ(of_a_file.find('%'), std::string::npos) << of_a_file;
    EXPECT_EQ(system_message(0x3fffffff), "Windows error 1073741823");

    EXPECT_EQ(run_process({}, 30s).end, End::not_started);
}

TEST(RunProcessOnWindows, EndsTheWholeJobWhenTheTimeIsOver) {
    const BatchFile inner(for_ever);
    const BatchFile program("echo before\ncmd.exe /d /c " + inner.words().back());
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result = run_process(program.words(), 2s);
    const auto taken = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(result.end, End::timed_out);
    EXPECT_EQ(result.output, "before\r\n");
    EXPECT_GE(taken, 2s);
    EXPECT_LT(taken, 20s);
}

TEST(RunProcessOnWindows, DoesNotWaitForWhatTheProgramLeftRunning) {
    const BatchFile left_running(for_ever);
    const BatchFile program("start /b " + left_running.words().back() + "\necho done\nexit 0");
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result = run_process(program.words(), 60s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.output, "done\r\n");
}

TEST(RunProcessOnWindows, KeepsAtMostTheLimitAndLetsTheProgramEnd) {
    const BatchFile program("for /l %%i in (1,1,2000) do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nexit 4");
    const ProcessResult result = run_process(program.words(), 60s, 40);
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.status, 4);
    EXPECT_EQ(result.output, std::string(40, 'x'));
}

TEST(RunProcessOnWindows, LeavesNoHandlesOpen) {
    const BatchFile program("exit 0");
    const auto round = [&] {
        (void)run_process(program.words(), 30s);
        (void)run_process({"C:\\nowhere\\at\\all.exe"}, 30s);
    };
    round();  // the system's own libraries open some at the first use
    const DWORD before = open_handles();
    constexpr DWORD rounds = 10;
    for (DWORD count = 0; count < rounds; ++count) {
        round();
    }
    EXPECT_LT(open_handles(), before + rounds);  // the system may open a few of its own meanwhile
}

}  // namespace
}  // namespace nasm_build
#endif
