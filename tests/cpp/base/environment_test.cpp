// What is read from the environment, and paths in UTF-8.
#include "base/environment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/arguments.hpp"

#ifdef _WIN32
#include "base/windows_text.hpp"
#endif

namespace nasm_build {
namespace {

#ifdef _WIN32
TEST(EnvironmentVariable, TakesAnEmptyOneForNone) {
    ASSERT_NE(SetEnvironmentVariableW(L"NASM_BUILD_TEST", L"gr\u00f6\u00dfe"), 0);
    EXPECT_EQ(environment_variable("NASM_BUILD_TEST"), "größe");
    ASSERT_NE(SetEnvironmentVariableW(L"NASM_BUILD_TEST", L""), 0);
    EXPECT_EQ(environment_variable("NASM_BUILD_TEST"), std::nullopt);
    ASSERT_NE(SetEnvironmentVariableW(L"NASM_BUILD_TEST", nullptr), 0);
    EXPECT_EQ(environment_variable("NASM_BUILD_TEST"), std::nullopt);
}

TEST(SplitSearchPath, LeavesEmptyFoldersAndQuotationMarksOut) {
    EXPECT_EQ(split_search_path(R"(C:\Windows;;"D:\a b";E:\)"),
              (std::vector<std::string>{R"(C:\Windows)", R"(D:\a b)", R"(E:\)"}));
    EXPECT_EQ(split_search_path(""), std::vector<std::string>{});
    EXPECT_EQ(split_search_path(";"), std::vector<std::string>{});
}
#else
TEST(EnvironmentVariable, TakesAnEmptyOneForNone) {
    ASSERT_EQ(::setenv("NASM_BUILD_TEST", "größe", 1), 0);
    EXPECT_EQ(environment_variable("NASM_BUILD_TEST"), "größe");
    ASSERT_EQ(::setenv("NASM_BUILD_TEST", "", 1), 0);
    EXPECT_EQ(environment_variable("NASM_BUILD_TEST"), std::nullopt);
    ASSERT_EQ(::unsetenv("NASM_BUILD_TEST"), 0);
    EXPECT_EQ(environment_variable("NASM_BUILD_TEST"), std::nullopt);
}

TEST(SplitSearchPath, LeavesEmptyFoldersOut) {
    EXPECT_EQ(split_search_path("/usr/bin:/a b::/bin:"), (std::vector<std::string>{"/usr/bin", "/a b", "/bin"}));
    EXPECT_EQ(split_search_path(""), std::vector<std::string>{});
    EXPECT_EQ(split_search_path(":"), std::vector<std::string>{});
}

TEST(CommandLineArguments, AreTheWordsAfterTheProgram) {
    const char* words[] = {"nasm-ext", "check", "größe.so"};
    EXPECT_EQ(command_line_arguments(3, words), (std::vector<std::string>{"check", "größe.so"}));
    EXPECT_EQ(command_line_arguments(0, nullptr), std::vector<std::string>{});
}
#endif

TEST(Paths, KeepToUtf8) {
    EXPECT_EQ(path_to_utf8(path_from_utf8("ordner/größe-日本.asm")), "ordner/größe-日本.asm");
}

TEST(ExecutablePath, IsThisProgram) {
    EXPECT_EQ(executable_path().stem(), "base-tests");
    EXPECT_TRUE(executable_path().is_absolute());
}

}  // namespace
}  // namespace nasm_build
