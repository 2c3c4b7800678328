// Opening a file. A small one is read at once: a mapped file that another program cuts meanwhile ends the process. A large one
// is mapped on POSIX, so that the pages which nobody reads are never fetched.
#include <fmt/format.h>

#include <fstream>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "inspect/read/read.hpp"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace nasm_build::inspect {

namespace {

constexpr std::uint64_t mapped_from = std::uint64_t{4} << 20U;

void require_size(std::uint64_t size, std::uint64_t limit) {
    if (size > limit) {
        throw Error(fmt::format("the file has {} bytes, and no more than {} are read", size, limit));
    }
}

struct OwnedBytes {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
};

// Room that is not filled with zeros first: all of it is read into.
OwnedBytes content_of(std::size_t size) {
    return {std::make_unique_for_overwrite<std::byte[]>(size), size};
}

#ifdef _WIN32

OwnedBytes read_at_once(const std::filesystem::path& path, std::uint64_t limit) {
    std::error_code problem;
    const auto status = std::filesystem::status(path, problem);
    if (status.type() == std::filesystem::file_type::not_found) {
        throw Error("there is no such file");
    }
    if (status.type() == std::filesystem::file_type::directory) {
        throw Error("this is a folder, not a file");
    }
    if (status.type() != std::filesystem::file_type::regular) {
        throw Error("this is not a regular file");
    }
    const std::uint64_t size = std::filesystem::file_size(path, problem);
    if (problem) {
        throw Error(fmt::format("the file cannot be read: {}", problem.message()));
    }
    require_size(size, limit);
    OwnedBytes content = content_of(static_cast<std::size_t>(size));
    std::ifstream stream(path, std::ios::binary);
    stream.read(reinterpret_cast<char*>(content.bytes.get()), static_cast<std::streamsize>(size));
    if (!stream || static_cast<std::uint64_t>(stream.gcount()) != size) {
        throw Error("the file cannot be read");
    }
    return content;
}

#else

[[noreturn]] void fail(int number) {
    if (number == ENOENT || number == ENOTDIR) {
        throw Error("there is no such file");
    }
    throw Error(fmt::format("the file cannot be read: {}", std::generic_category().message(number)));
}

class Descriptor {
public:
    explicit Descriptor(const std::filesystem::path& path)
        // O_NONBLOCK: a pipe without a writer would hold the open for ever.
        : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        if (number_ < 0) {
            fail(errno);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(number_); }

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

OwnedBytes read_at_once(const Descriptor& descriptor, std::size_t size) {
    OwnedBytes content = content_of(size);
    std::size_t done = 0;
    while (done < size) {
        const ::ssize_t got = ::read(descriptor.number(), content.bytes.get() + done, size - done);
        if (got == 0) {
            throw Error("the file became shorter while it was read");
        }
        if (got < 0 && errno != EINTR) {
            fail(errno);
        }
        done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return content;
}

#endif

}  // namespace

FileBytes::FileBytes(FileBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      owned_(std::move(other.owned_)),
      mapped_(std::exchange(other.mapped_, false)) {}

FileBytes& FileBytes::operator=(FileBytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(owned_, other.owned_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

FileBytes::~FileBytes() {
#ifndef _WIN32
    if (mapped_) {
        ::munmap(const_cast<std::byte*>(data_), size_);
    }
#endif
}

void FileBytes::release_pages() const noexcept {
#ifndef _WIN32
    if (mapped_) {
        static_cast<void>(::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED));
    }
#endif
}

FileBytes read_file(const std::filesystem::path& path, std::uint64_t limit) {
    FileBytes file;
#ifdef _WIN32
    OwnedBytes content = read_at_once(path, limit);
    file.owned_ = std::move(content.bytes);
    file.data_ = file.owned_.get();
    file.size_ = content.size;
#else
    const Descriptor descriptor(path);
    struct stat facts = {};
    if (::fstat(descriptor.number(), &facts) != 0) {
        fail(errno);
    }
    if (S_ISDIR(facts.st_mode)) {
        throw Error("this is a folder, not a file");
    }
    if (!S_ISREG(facts.st_mode)) {
        throw Error("this is not a regular file");
    }
    require_size(static_cast<std::uint64_t>(facts.st_size), limit);
    if (facts.st_size == 0) {
        return file;
    }
    const auto size = static_cast<std::size_t>(facts.st_size);
    if (size < mapped_from) {
        file.owned_ = read_at_once(descriptor, size).bytes;
        file.data_ = file.owned_.get();
        file.size_ = size;
        return file;
    }
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.number(), 0);
    if (data == MAP_FAILED) {
        fail(errno);
    }
    file.data_ = static_cast<const std::byte*>(data);
    file.size_ = size;
    file.mapped_ = true;
#endif
    return file;
}

}  // namespace nasm_build::inspect
