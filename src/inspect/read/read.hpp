// The door of the readers: bytes of a module in, facts out. No type of LIEF passes through it.
//
// A reader either gives every fact that the file's own headers promise, or throws nasm_build::Error with one line that says
// what is wrong. It never gives an Image from which facts are silently missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/options.hpp"

namespace nasm_build::inspect {

/// The largest file that `read_file` takes, in bytes.
inline constexpr std::uint64_t file_size_limit = std::uint64_t{2} * 1024 * 1024 * 1024;

/// The bytes of a file, mapped into memory when it is large and the system can; unmapped when it goes. Movable, not copyable.
class FileBytes {
public:
    FileBytes() noexcept = default;
    FileBytes(FileBytes&& other) noexcept;
    FileBytes& operator=(FileBytes&& other) noexcept;
    FileBytes(const FileBytes&) = delete;
    FileBytes& operator=(const FileBytes&) = delete;
    ~FileBytes();

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

    /// Lets the system have back the memory of what was read of a mapped file so far; it is read again when it is asked for.
    void release_pages() const noexcept;

private:
    friend FileBytes read_file(const std::filesystem::path& path, std::uint64_t limit);

    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::unique_ptr<std::byte[]> owned_;  ///< holds the bytes where they are not mapped
    bool mapped_ = false;
};

/// Opens a regular file. Throws Error for a folder, a missing or unreadable file, a device, and a file over `limit` bytes. The
/// message does not repeat the path: the caller puts it in front.
[[nodiscard]] FileBytes read_file(const std::filesystem::path& path, std::uint64_t limit = file_size_limit);

/// What a file is, told from its first bytes.
enum class FileType : std::uint8_t { elf, pe, macho, macho_fat, zip, other };

[[nodiscard]] FileType file_type_of(std::span<const std::byte> file) noexcept;

/// The facts about a module: one Image; one a slice for a fat Mach-O file, in the file's order. Throws Error with one line for a
/// file that is empty, cut, damaged, or not a module at all; the message does not name the file.
[[nodiscard]] std::vector<Image> read_images(std::span<const std::byte> file, const ReadOptions& options = {});

}  // namespace nasm_build::inspect
