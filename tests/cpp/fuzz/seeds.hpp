// Good files to damage: found in folders, sorted, a list a format.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "inspect/read/read.hpp"
#include "layout.hpp"
#include "random.hpp"
#include "whole_check.hpp"

namespace nasm_build::fuzz {

struct Seed {
    std::filesystem::path path;
    inspect::FileBytes file;
    Layout layout;
    std::vector<std::string> names;  ///< by which it is checked, in turn
};

/// By format: elf, pe, macho (fat files are macho), wheel, object.
using SeedsByFormat = std::map<std::string, std::vector<Seed>>;

/// Loads files, and the files in folders. Those of other formats, and those over `size_limit` bytes, are passed by.
[[nodiscard]] SeedsByFormat load_seeds(std::span<const std::filesystem::path> paths, std::uint64_t size_limit);

/// A damaged input and the name by which it is checked.
struct Input {
    std::string name;
    std::vector<std::byte> bytes;
    bool every_report = true;
};

/// The input with this index. Of wheels, one in three is a sound archive of damaged modules.
[[nodiscard]] Input damaged_input(const SeedsByFormat& seeds, const std::string& format, std::uint64_t index,
                                  Random& random);

/// Checks an input as its format wants it.
[[nodiscard]] Outcome check_input(const std::string& format, const Input& input);

}  // namespace nasm_build::fuzz
