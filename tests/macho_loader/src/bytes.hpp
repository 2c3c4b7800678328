// Reading a file that may lie: every read is checked against the range that it reads from.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace macho_loader {

using nasm_build::Error;

static_assert(std::endian::native == std::endian::little, "the loader maps code for x86-64");

/// A range of the file, and what it is called in a message.
class Bytes {
public:
    Bytes() = default;
    Bytes(std::span<const std::byte> data, std::string_view name) : data_(data), name_(name) {}

    [[nodiscard]] std::span<const std::byte> data() const { return data_; }
    [[nodiscard]] std::uint64_t size() const { return data_.size(); }
    [[nodiscard]] bool empty() const { return data_.empty(); }

    /// A part of this range. Throws Error when it is not wholly inside.
    [[nodiscard]] Bytes part(std::uint64_t offset, std::uint64_t size, std::string_view name) const {
        if (offset > data_.size() || size > data_.size() - offset) {
            throw Error(std::string(name) + " (" + std::to_string(size) + " bytes at " + std::to_string(offset) +
                        ") reaches beyond the end of " + std::string(name_) + " (" + std::to_string(data_.size()) +
                        " bytes)");
        }
        return {data_.subspan(offset, size), name};
    }

    template <std::integral Integer>
    [[nodiscard]] Integer read(std::uint64_t offset) const {
        Integer value{};
        std::memcpy(&value, part(offset, sizeof value, name_).data_.data(), sizeof value);
        return value;
    }

    /// A number of a fat header, where all are big-endian.
    [[nodiscard]] std::uint64_t read_big(std::uint64_t offset, std::size_t size) const {
        std::uint64_t value = 0;
        for (const std::byte byte : part(offset, size, name_).data_) {
            value = value << 8U | std::to_integer<std::uint64_t>(byte);
        }
        return value;
    }

    /// The text up to the zero byte that must end it.
    [[nodiscard]] std::string_view text(std::uint64_t offset) const {
        const auto rest = part(offset, size() - std::min(offset, size()), name_).data_;
        const auto end = std::find(rest.begin(), rest.end(), std::byte{0});
        if (end == rest.end()) {
            throw Error("a name in " + std::string(name_) + " has no end");
        }
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes seen as the characters that they are
        return {reinterpret_cast<const char*>(rest.data()), static_cast<std::size_t>(end - rest.begin())};
    }

    /// The text of a field of fixed size, which a zero byte may end early.
    [[nodiscard]] std::string field(std::uint64_t offset, std::size_t size) const {
        std::string value;
        for (const std::byte byte : part(offset, size, name_).data_) {
            if (byte == std::byte{0}) {
                break;
            }
            value += std::to_integer<char>(byte);
        }
        return value;
    }

    [[nodiscard]] const std::string_view& name() const { return name_; }

private:
    std::span<const std::byte> data_;
    std::string_view name_ = "nothing";  // always a literal
};

/// Reads a range from its start to its end.
class Cursor {
public:
    explicit Cursor(Bytes bytes, std::uint64_t offset = 0) : bytes_(bytes), offset_(offset) {}

    [[nodiscard]] bool at_end() const { return offset_ >= bytes_.size(); }
    [[nodiscard]] std::uint64_t offset() const { return offset_; }

    std::uint8_t byte() { return bytes_.read<std::uint8_t>(offset_++); }

    std::string_view text() {
        const std::string_view value = bytes_.text(offset_);
        offset_ += value.size() + 1;
        return value;
    }

    std::uint64_t uleb() {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::uint8_t next = byte();
            const std::uint64_t bits = next & 0x7fU;
            if (shift > 63 || (shift == 63 && bits > 1)) {
                throw Error("a number in " + std::string(bytes_.name()) + " has more than 64 bits");
            }
            value |= bits << shift;
            if ((next & 0x80U) == 0) {
                return value;
            }
        }
    }

    std::int64_t sleb() {
        std::uint64_t value = 0;
        for (unsigned shift = 0;;) {
            const std::uint8_t next = byte();
            if (shift > 63) {
                throw Error("a number in " + std::string(bytes_.name()) + " has more than 64 bits");
            }
            value |= std::uint64_t{next & 0x7fU} << shift;
            shift += 7;
            if ((next & 0x80U) == 0) {
                if (shift < 64 && (next & 0x40U) != 0) {
                    value |= ~std::uint64_t{0} << shift;
                }
                return static_cast<std::int64_t>(value);
            }
        }
    }

private:
    Bytes bytes_;
    std::uint64_t offset_;
};

}  // namespace macho_loader
