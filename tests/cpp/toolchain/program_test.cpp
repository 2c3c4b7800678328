// A file that may be a program: what keeps it from being run, and how its answer is told.
#include "toolchain/program.hpp"

#include "scratch_folder.hpp"

namespace nasm_build::toolchain {
namespace {

using namespace std::chrono_literals;

TEST(FirstLine, IsTheFirstThatSaysSomething) {
    EXPECT_EQ(first_line(""), "");
    EXPECT_EQ(first_line(" \t\r\n\n"), "");
    EXPECT_EQ(first_line("LLD 19.1.7\n"), "LLD 19.1.7");
    EXPECT_EQ(first_line("\r\n\n  one\r\ntwo\n"), "one");
    EXPECT_EQ(first_line("no end"), "no end");
}

TEST(FirstLine, ShowsNoControlLetterAndNoMoreThanAHundred) {
    EXPECT_EQ(first_line("\x1b[31mred\x7f\tand\x01 more"), "?[31mred??and? more");
    EXPECT_EQ(first_line("größe 日本"), "größe 日本");
    const std::string hundred(100, 'x');
    EXPECT_EQ(first_line(hundred), hundred);
    EXPECT_EQ(first_line(hundred + "y"), hundred + "…");
}

TEST(Said, QuotesItOrSaysNothing) {
    EXPECT_EQ(said("one\ntwo"), "\"one\"");
    EXPECT_EQ(said(" \n"), "nothing");
}

#ifndef _WIN32

TEST(ObstacleToRunning, IsNoneForAProgram) {
    const ScratchFolder scratch;
    EXPECT_EQ(obstacle_to_running(scratch.script("program", "exit 0")), "");
    std::filesystem::create_symlink("program", scratch.path() / "link");
    EXPECT_EQ(obstacle_to_running(scratch.text("link")), "");
}

TEST(ObstacleToRunning, SaysWhatIsInTheWay) {
    const ScratchFolder scratch;
    EXPECT_EQ(obstacle_to_running(scratch.text("gone")), "there is no such file");
    EXPECT_EQ(obstacle_to_running(""), "there is no such file");
    EXPECT_EQ(obstacle_to_running(scratch.path().string()), "it is a folder");
    EXPECT_EQ(obstacle_to_running("/dev/null"), "it is not a file");
    const std::string text = scratch.write("text", "no program");
    EXPECT_EQ(obstacle_to_running(text), "it is not executable");
    std::filesystem::create_symlink("gone", scratch.path() / "link");
    EXPECT_EQ(obstacle_to_running(scratch.text("link")), "it is a link to a file that is not there");
    std::filesystem::create_symlink("circle", scratch.path() / "circle");
    EXPECT_EQ(obstacle_to_running(scratch.text("circle")), "Too many levels of symbolic links");
    EXPECT_EQ(obstacle_to_running(text + "/below"), "there is no such file");
}

TEST(AskProgram, GivesTheAnswerAndTheStatus) {
    const ScratchFolder scratch;
    const std::string program = scratch.script("program", "echo \"$*\"; echo trouble >&2; exit 7");
    const ProgramAnswer answer = ask_program({program, "link"}, "--version", 5s);
    EXPECT_EQ(answer.reason, "");
    EXPECT_EQ(answer.status, 7);
    EXPECT_EQ(answer.output, "link --version\ntrouble\n");
}

TEST(AskProgram, SaysWhyThereIsNoAnswer) {
    const ScratchFolder scratch;
    EXPECT_EQ(ask_program({scratch.text("gone")}, "-v", 5s).reason,
              "it could not be started: No such file or directory");
    EXPECT_EQ(ask_program({scratch.script("hang", "sleep 60")}, "-v", 300ms).reason,
              "it did not answer `-v` within 0.3 s");
    EXPECT_EQ(ask_program({scratch.script("killed", "kill -SEGV $$")}, "-v", 5s).reason,
              "it was ended by SIGSEGV when asked for its version");
}

#endif

}  // namespace
}  // namespace nasm_build::toolchain
