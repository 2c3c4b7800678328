// Where the headers and tables of a good file lie: the places that a damaged field is most telling in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nasm_build::fuzz {

struct Region {
    std::size_t offset = 0;
    std::size_t size = 0;
};

/// The structured parts of an ELF, PE, Mach-O or ZIP file. `file` is a good one, made by a linker.
[[nodiscard]] std::vector<Region> regions_of(std::span<const std::byte> file);

}  // namespace nasm_build::fuzz
