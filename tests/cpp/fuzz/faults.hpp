// Faulty fields: the values that range checks get wrong, put where a file states an offset, a size, a count or a kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "layout.hpp"

namespace nasm_build::fuzz {

/// One field of a file, and the number to put there.
struct Fault {
    std::size_t at = 0;
    std::uint8_t width = 0;
    bool big_endian = false;
    std::uint64_t value = 0;
};

/// What to put into a field: 0, limits, signs, its own value off by a little, the file's size, its own place (a chain that leads to
/// itself), the values of other fields and the places of other tables (ranges that overlap). Never what is there; no number twice.
[[nodiscard]] std::vector<std::uint64_t> faulty_values(std::span<const std::byte> file, const Layout& layout,
                                                       const Table& table, std::size_t entry, const FieldShape& field);

/// The fault of a field; `value` is cut to the field's width.
[[nodiscard]] Fault fault_in(const Table& table, std::size_t entry, const FieldShape& field, std::uint64_t value);

/// Every fault of every field: of all entries of small tables, of the first and last ones of large ones.
[[nodiscard]] std::vector<Fault> faults_of(std::span<const std::byte> file, const Layout& layout);

void apply(const Fault& fault, std::span<std::byte> file);

}  // namespace nasm_build::fuzz
