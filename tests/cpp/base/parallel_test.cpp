#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace nasm_build {
namespace {

TEST(Parallel, EachIndexOnce) {
    for (const unsigned threads : {0U, 1U, 2U, 7U}) {
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
            std::vector<std::atomic<int>> calls(count);
            for_each_index(count, threads, [&](std::size_t index) { ++calls[index]; });
            for (const auto& of_one : calls) {
                EXPECT_EQ(of_one, 1) << threads << " threads, " << count << " pieces";
            }
        }
    }
}

TEST(Parallel, TheFailureOfTheLowestIndexIsThrownAndTheRestIsLeftOut) {
    std::atomic<int> calls = 0;
    std::string thrown;
    try {
        for_each_index(1'000'000, 4, [&](std::size_t index) {
            ++calls;
            if (index >= 10) {
                throw std::runtime_error(std::to_string(index));
            }
        });
    } catch (const std::runtime_error& error) {
        thrown = error.what();
    }
    EXPECT_EQ(thrown, "10");
    EXPECT_LT(calls, 1'000'000);
}

}  // namespace
}  // namespace nasm_build
