// Whole, sound wheels around damaged modules: the archive is read to its end, and the damage reaches the module's reader.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nasm_build::fuzz {

struct Member {
    std::string name;
    std::vector<std::byte> bytes;
};

/// A ZIP archive whose members are stored, with sizes and CRCs that are right.
[[nodiscard]] std::vector<std::byte> pack(std::span<const Member> members);

}  // namespace nasm_build::fuzz
