// Memory as a module's code and CPython see it once the loader is done: bytes of the file, with the addresses that were written in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// Eight bytes of memory.
struct Word {
    enum class Kind : std::uint8_t {
        number,  ///< what the file has there, which the loader leaves alone
        address,  ///< of this image: `value`
        symbol,  ///< of another image: `symbol`
        torn,  ///< an address begins or ends within the word
    };
    Kind kind = Kind::number;
    std::uint64_t value = 0;
    std::string_view symbol;

    bool operator==(const Word&) const = default;
    [[nodiscard]] bool is_null() const noexcept { return kind == Kind::number && value == 0; }
};

/// The bytes at an address up to the end of what the file has there; empty where it has none.
[[nodiscard]] std::span<const std::byte> bytes_at(const Image& image, std::uint64_t address) noexcept;

/// Whether `size` bytes at the address are memory of the image, with or without bytes in the file.
[[nodiscard]] bool is_mapped(const Image& image, std::uint64_t address, std::uint64_t size) noexcept;

/// The number of `width` bytes (1 to 8) at the address; memory without bytes in the file is zero. Nothing outside of memory.
[[nodiscard]] std::optional<std::uint64_t> number_at(const Image& image, std::uint64_t address,
                                                     unsigned width) noexcept;

/// The word at the address; nothing outside of memory.
[[nodiscard]] std::optional<Word> word_at(const Image& image, std::uint64_t address) noexcept;

/// The addresses that the loader writes at places in [begin, end).
[[nodiscard]] std::span<const Pointer> pointers_in(const Image& image, std::uint64_t begin, std::uint64_t end) noexcept;

/// The text at an address up to its zero byte; nothing when the bytes of the file end before one.
[[nodiscard]] std::optional<std::string_view> text_at(const Image& image, std::uint64_t address) noexcept;

/// Whether memory at the address can be written when the module's code runs.
[[nodiscard]] bool is_writable(const Image& image, std::uint64_t address) noexcept;

/// Whether the entry point's code, as far as it was followed, writes within [begin, end).
[[nodiscard]] bool is_written_by_code(const Image& image, std::uint64_t begin, std::uint64_t end) noexcept;

}  // namespace nasm_build::inspect
