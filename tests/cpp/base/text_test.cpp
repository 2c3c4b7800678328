// The edit distance, and what is offered for a misspelt name.
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

namespace nasm_build {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
    EXPECT_EQ(edit_distance("", "", 5), 0U);
    EXPECT_EQ(edit_distance("abc", "abc", 5), 0U);
    EXPECT_EQ(edit_distance("", "abc", 5), 3U);
    EXPECT_EQ(edit_distance("abc", "", 5), 3U);
    EXPECT_EQ(edit_distance("PyLong_FromLongg", "PyLong_FromLong", 5), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting", 5), 3U);
    EXPECT_EQ(edit_distance("ab", "ba", 5), 1U);
    EXPECT_EQ(edit_distance("PyErr_Occurerd", "PyErr_Occurred", 5), 1U);
    // Optimal string alignment edits no letter twice; the unrestricted distance would be 2.
    EXPECT_EQ(edit_distance("ca", "abc", 5), 3U);
}

TEST(EditDistance, StopsAboveTheLimit) {
    EXPECT_EQ(edit_distance("kitten", "sitting", 3), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting", 2), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting", 0), 1U);
    EXPECT_EQ(edit_distance("a", "a very much longer text", 4), 5U);
    EXPECT_EQ(edit_distance("same", "same", 0), 0U);
}

// The whole table without any limit or early stop, as the definition has it.
std::size_t plain_distance(const std::string& left, const std::string& right) {
    std::vector<std::vector<std::size_t>> table(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
    for (std::size_t i = 0; i <= left.size(); ++i) {
        for (std::size_t j = 0; j <= right.size(); ++j) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            const std::size_t replaced = table[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            table[i][j] = std::min({replaced, table[i - 1][j] + 1, table[i][j - 1] + 1});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    return table[left.size()][right.size()];
}

TEST(EditDistance, AgreesWithTheDefinitionOnRandomTexts) {
    std::mt19937 random(1);
    const auto text = [&] {
        std::string letters(random() % 9, ' ');
        std::generate(letters.begin(), letters.end(), [&] { return static_cast<char>('a' + random() % 3); });
        return letters;
    };
    for (int round = 0; round < 20000; ++round) {
        const std::string left = text();
        const std::string right = text();
        const std::size_t limit = random() % 6;
        EXPECT_EQ(edit_distance(left, right, limit), std::min(plain_distance(left, right), limit + 1))
            << left << " and " << right << " within " << limit;
    }
}

TEST(Nearest, FindsWhatWasMeant) {
    constexpr std::array<std::string_view, 4> names{"PyLong_FromLong", "PyLong_FromUnsignedLong", "PyLong_AsLong",
                                                    "PyErr_Occurred"};
    EXPECT_EQ(nearest("PyLong_FromLongg", names), "PyLong_FromLong");
    EXPECT_EQ(nearest("PyErr_Ocured", names), "PyErr_Occurred");
    EXPECT_EQ(nearest("memcpy", names), "");
    EXPECT_EQ(nearest("", names), "");
    EXPECT_EQ(nearest("PyLong_FromLong", {}), "");
}

TEST(Nearest, AllowsAThirdOfTheLengthAndThreeEditsAtMost) {
    constexpr std::array<std::string_view, 1> name{"abcdef"};
    EXPECT_EQ(nearest("abcdXX", name), "abcdef");
    EXPECT_EQ(nearest("abcXXX", name), "");
    constexpr std::array<std::string_view, 1> longer{"abcdefghijklmnopqrst"};
    EXPECT_EQ(nearest("XXXdefghijklmnopqrst", longer), "abcdefghijklmnopqrst");
    EXPECT_EQ(nearest("XXXXefghijklmnopqrst", longer), "");
    constexpr std::array<std::string_view, 1> brief{"ab"};
    EXPECT_EQ(nearest("ac", brief), "");
}

TEST(Nearest, PrefersAnotherCaseToAnotherLetterAndTheFirstOfEquals) {
    constexpr std::array<std::string_view, 2> one_letter{"pyInit_foX", "PyInit_foo"};
    EXPECT_EQ(nearest("pyInit_foo", one_letter), "PyInit_foo");
    constexpr std::array<std::string_view, 2> whole_word{"PyInit_fop", "pyinit_foo"};
    EXPECT_EQ(nearest("PYINIT_FOO", whole_word), "pyinit_foo");
    constexpr std::array<std::string_view, 2> equals{"abcdeX", "abcdeY"};
    EXPECT_EQ(nearest("abcdeZ", equals), "abcdeX");
}

}  // namespace
}  // namespace nasm_build
