// Bounded, endian-safe reading of a file's bytes: every load is checked, and none needs alignment.
//
// Whatever decodes a file by itself reads through these two classes alone, so that a lying offset ends in an Error or a failed
// cursor and never in a read outside the file.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace nasm_build {

/// Turns the bytes of a stored number into the host's order. `std::byteswap` is C++23.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_bytes(T value) noexcept {
    std::uint64_t rest = value;
    std::uint64_t swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        swapped = (swapped << 8U) | (rest & 0xFFU);
        rest >>= 8U;
    }
    return static_cast<T>(swapped);
}

/// A range of a file's bytes. Offsets are 64-bit, as files state them, and are checked without overflow.
class ByteView {
public:
    constexpr ByteView() noexcept = default;
    constexpr ByteView(std::span<const std::byte> bytes) noexcept
        : bytes_(bytes) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] std::uint64_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t length) const noexcept {
        return offset <= bytes_.size() && length <= bytes_.size() - offset;
    }

    /// The number at `offset`; throws Error when it does not lie within the view.
    template <std::unsigned_integral T>
    [[nodiscard]] T load(std::uint64_t offset, std::endian order = std::endian::little) const {
        if (!holds(offset, sizeof(T))) {
            throw Error("the file is damaged: a table reaches past its end");
        }
        T value = 0;
        std::memcpy(&value, bytes_.data() + offset, sizeof(T));
        return order == std::endian::native ? value : swap_bytes(value);
    }

    /// The bytes at `offset`; throws Error when they do not lie within the view.
    [[nodiscard]] ByteView part(std::uint64_t offset, std::uint64_t length) const {
        if (!holds(offset, length)) {
            throw Error("the file is damaged: a table reaches past its end");
        }
        return bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    }

    /// The text from `offset` to the next zero byte; nothing when the view ends before one.
    [[nodiscard]] std::optional<std::string_view> text(std::uint64_t offset) const noexcept {
        if (offset >= bytes_.size()) {
            return std::nullopt;
        }
        const auto* start = reinterpret_cast<const char*>(bytes_.data()) + offset;
        const auto room = bytes_.size() - static_cast<std::size_t>(offset);
        const auto* end = static_cast<const char*>(std::memchr(start, 0, room));
        if (end == nullptr) {
            return std::nullopt;
        }
        return std::string_view(start, static_cast<std::size_t>(end - start));
    }

    /// A field of fixed width that is padded with zeros: section and segment names.
    [[nodiscard]] std::string_view fixed_text(std::uint64_t offset, std::uint64_t width) const {
        const auto field = part(offset, width).bytes();
        const std::string_view all(reinterpret_cast<const char*>(field.data()), field.size());
        return all.substr(0, all.find('\0'));
    }

private:
    std::span<const std::byte> bytes_;
};

/// Reads a byte stream from front to back. After the first read that does not fit, it stays failed and gives zeros.
class Cursor {
public:
    explicit Cursor(ByteView view, std::uint64_t position = 0) noexcept : view_(view), position_(position) {
        failed_ = position > view.size();
    }

    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    [[nodiscard]] std::uint64_t left() const noexcept { return failed_ ? 0 : view_.size() - position_; }
    [[nodiscard]] bool at_end() const noexcept { return left() == 0; }
    void fail() noexcept { failed_ = true; }

    template <std::unsigned_integral T>
    [[nodiscard]] T read() noexcept {
        T value = 0;
        if (left() < sizeof(T)) {
            failed_ = true;
            return 0;
        }
        std::memcpy(&value, view_.bytes().data() + position_, sizeof(T));
        position_ += sizeof(T);
        return std::endian::native == std::endian::little ? value : swap_bytes(value);
    }

    /// ULEB128 of at most 64 bits; a longer one fails.
    [[nodiscard]] std::uint64_t read_uleb() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = read<std::uint8_t>();
            const std::uint64_t part = byte & 0x7FU;
            if (failed_ || shift > 63 || (shift == 63 && part > 1)) {
                failed_ = true;
                return 0;
            }
            value |= part << shift;
            if ((byte & 0x80U) == 0) {
                return value;
            }
        }
    }

    /// SLEB128 of at most 64 bits; a longer one fails.
    [[nodiscard]] std::int64_t read_sleb() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;;) {
            const auto byte = read<std::uint8_t>();
            if (failed_ || shift > 63) {
                failed_ = true;
                return 0;
            }
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            shift += 7;
            if ((byte & 0x80U) == 0) {
                if (shift < 64 && (byte & 0x40U) != 0) {
                    value |= ~std::uint64_t{0} << shift;
                }
                return static_cast<std::int64_t>(value);
            }
        }
    }

    /// Text up to a zero byte, which is passed over.
    [[nodiscard]] std::string_view read_text() noexcept {
        const auto found = failed_ ? std::nullopt : view_.text(position_);
        if (!found) {
            failed_ = true;
            return {};
        }
        position_ += found->size() + 1;
        return *found;
    }

    void skip(std::uint64_t count) noexcept {
        if (count > left()) {
            failed_ = true;
        } else {
            position_ += count;
        }
    }

private:
    ByteView view_;
    std::uint64_t position_ = 0;
    bool failed_ = false;
};

}  // namespace nasm_build
