// The raw pre-check that every format's guard is made of: ranges, counts and names, before LIEF sees a byte.
//
// LIEF 0.12.3 believes the sizes that a file states: a lying one costs gigabytes or hangs, and damage is dropped without an
// error. So every range, count and chain that LIEF will follow is checked here first, and what a reader does not take from
// LIEF is switched off in the copy that LIEF is given.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_view.hpp"

namespace nasm_build::inspect {

/// Throws `the file is cut: WHAT ends at byte END, but the file has SIZE bytes`.
[[noreturn]] void fail_cut(std::string_view what, std::uint64_t offset, std::uint64_t length, std::uint64_t file_size);

/// Throws `the file is damaged: DETAIL`.
[[noreturn]] void fail_damaged(const std::string& detail);

/// Requires that the file holds `length` bytes at `offset`.
void require_range(ByteView file, std::uint64_t offset, std::uint64_t length, std::string_view what);

/// Requires that a count is not over what is read, which is far above what modules have.
void require_count(std::uint64_t count, std::uint64_t limit, std::string_view what);

/// Requires that LIEF gave as many as the headers state: it drops damaged parts without an error.
void require_agreement(std::uint64_t read, std::uint64_t stated, std::string_view what);

/// A name for a message: at most 60 bytes of it, with what cannot be printed replaced by `?`.
[[nodiscard]] std::string printable(std::string_view name);

/// Adds up the bytes of all names that a file makes its reader copy: a small file can name one long text a million times.
class NameBudget {
public:
    explicit NameBudget(std::uint64_t limit) noexcept : left_(limit) {}
    /// Counts one name; throws Error when all of them are together over the limit.
    void take(std::string_view name);

private:
    std::uint64_t left_;
};

/// What the names of a table may add up to: shared ends make it more than the table's own size, never twice as much.
[[nodiscard]] constexpr std::uint64_t name_budget(std::uint64_t string_table_size) noexcept {
    constexpr std::uint64_t floor = std::uint64_t{8} << 20U;
    return string_table_size * 2 > floor ? string_table_size * 2 : floor;
}

/// A number to write into the copy that LIEF is given.
struct Edit {
    std::uint64_t offset = 0;
    std::uint64_t value = 0;
    std::uint8_t width = 4;  ///< 2, 4 or 8 bytes, little-endian
};

/// A copy of the file's first `length` bytes with the edits made, in the form in which LIEF takes bytes.
[[nodiscard]] std::vector<std::uint8_t> edited_copy(ByteView file, std::uint64_t length, std::span<const Edit> edits);

}  // namespace nasm_build::inspect
