// An image in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fixups.hpp"
#include "image.hpp"

namespace macho_loader {

/// The pages of one image; given back when this goes.
class Mapping {
public:
    /// Reserves the pages and copies the segments' content into them, writable and not executable. Throws Error.
    explicit Mapping(const Image& image);
    ~Mapping();
    Mapping(Mapping&& other) noexcept;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    Mapping& operator=(Mapping&&) = delete;

    /// What is to be added to the file's addresses.
    [[nodiscard]] std::uint64_t slide() const { return slide_; }

    /// Writes every pointer. `symbols` holds the address of each reference; none where a missing one keeps what is there.
    void fix(const Fixups& fixups, std::span<const std::optional<std::uint64_t>> symbols);

    /// Gives each segment the protection that it asks for; those for constants are read-only from here on.
    void protect(const Image& image);

private:
    [[nodiscard]] std::byte* at(std::uint64_t address) const;

    void* start_ = nullptr;
    std::size_t size_ = 0;
    std::uint64_t slide_ = 0;
};

/// Has the unwinder know the functions of `__TEXT,__eh_frame`, if there is one, and those of `records` (from
/// frame_records). Both must stay where they are for good.
void register_frames(const Image& image, std::uint64_t slide, std::vector<std::byte>& records);

/// Throws Error for an `__TEXT,__eh_frame` that the unwinder would read beyond.
void check_frames(const Image& image);

}  // namespace macho_loader
