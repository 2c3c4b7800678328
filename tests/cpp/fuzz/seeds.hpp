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
    std::vector<std::byte> pair;  ///< instead of a file: see pairs.hpp
    Layout layout;
    std::vector<std::string> names;  ///< by which it is checked, in turn

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return pair.empty() ? file.bytes() : std::span<const std::byte>(pair);
    }
};

/// By format: elf, pe, macho (fat files are macho), wheel, object. With the verifier of calling conventions: code and stream (modules of
/// the first three), lines (a module with its object).
using SeedsByFormat = std::map<std::string, std::vector<Seed>>;

/// Loads files, and the files in folders. Those of other formats, and those over `size_limit` bytes, are passed by. Where `format` is
/// one of those with the verifier, it alone is loaded: a file that `x.so` or `x.pyd` has beside it as `x.o` is that module's object.
[[nodiscard]] SeedsByFormat load_seeds(std::span<const std::filesystem::path> paths, std::uint64_t size_limit,
                                       const std::string& format);

/// The formats with the verifier.
[[nodiscard]] bool is_verified(std::string_view format) noexcept;

/// Where a format's fields are in such an input, as the targets ask for inputs that were damaged before.
[[nodiscard]] Layout layout_for(const std::string& format, std::span<const std::byte> bytes);

/// The damage that a format is given.
[[nodiscard]] std::vector<std::byte> damage_for(const std::string& format, std::span<const std::byte> bytes,
                                                const Layout& layout, Random& random);

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
