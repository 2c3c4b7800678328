// Opening files: what is no file that can be read is told in one line.
#include <sys/stat.h>
#include <unistd.h>

#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

std::string refused(const std::filesystem::path& path, std::uint64_t limit = file_size_limit) {
    return message_of([&] { static_cast<void>(read_file(path, limit)); });
}

class Scratch {
public:
    Scratch() : path_(std::filesystem::temp_directory_path() / ("nasm-build-read-test-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST(File, GivesTheBytes) {
    const FileBytes file = read_file(sample_path("module.so"));
    const Bytes expected = sample("module.so");
    EXPECT_EQ(Bytes(file.bytes().begin(), file.bytes().end()), expected);
}

TEST(File, CanBeMoved) {
    FileBytes first = read_file(sample_path("module.so"));
    FileBytes second = std::move(first);
    EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): what is left is part of the promise
    FileBytes third;
    third = std::move(second);
    EXPECT_EQ(read_images(third.bytes()).size(), 1U);
}

TEST(File, ALargeOneIsMapped) {
    const Scratch scratch;
    const auto path = scratch / "large";
    std::ofstream(path).put('x');
    std::filesystem::resize_file(path, std::uint64_t{40} << 20U);
    FileBytes file = read_file(path);
    ASSERT_EQ(file.bytes().size(), std::size_t{40} << 20U);
    EXPECT_EQ(file.bytes().front(), std::byte{'x'});
    const FileBytes moved = std::move(file);
    EXPECT_EQ(moved.bytes().back(), std::byte{0});
}

TEST(File, GivesTheMemoryBackAndReadsAgain) {
    const Scratch scratch;
    const auto path = scratch / "large";
    std::ofstream(path).put('x');
    std::filesystem::resize_file(path, std::uint64_t{40} << 20U);
    for (const std::filesystem::path& each : {path, std::filesystem::path(sample_path("module.so"))}) {
        const FileBytes file = read_file(each);
        const Bytes before(file.bytes().begin(), file.bytes().end());
        file.release_pages();
        EXPECT_EQ(Bytes(file.bytes().begin(), file.bytes().end()), before);
    }
}

TEST(File, WhatIsNoFileIsRefused) {
    const Scratch scratch;
    EXPECT_EQ(refused(scratch / "missing"), "there is no such file");
    EXPECT_EQ(refused(scratch / ""), "this is a folder, not a file");
    ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(refused(scratch / "pipe"), "this is not a regular file");
    EXPECT_EQ(refused("/dev/null"), "this is not a regular file");
    EXPECT_EQ(refused(sample_path("module.so") + "/inside"), "there is no such file");
}

TEST(File, AnUnreadableOneIsRefused) {
    // root reads everything; a name that is too long fails for everyone.
    EXPECT_EQ(refused(std::string(300, 'x')), "the file cannot be read: File name too long");
}

TEST(File, AHugeOneIsRefusedBeforeItIsRead) {
    const Scratch scratch;
    const auto path = scratch / "huge";
    std::ofstream(path).put('x');
    std::filesystem::resize_file(path, (std::uint64_t{2} << 30U) + 1);  // sparse
    EXPECT_EQ(refused(path), "the file has 2147483649 bytes, and no more than 2147483648 are read");
    EXPECT_EQ(refused(sample_path("module.so"), 100),
              "the file has " + std::to_string(sample("module.so").size()) + " bytes, and no more than 100 are read");
}

TEST(File, AnEmptyOneHasNoBytes) {
    const Scratch scratch;
    std::ofstream(scratch / "empty").close();
    EXPECT_TRUE(read_file(scratch / "empty").bytes().empty());
}

}  // namespace nasm_build::inspect::test
