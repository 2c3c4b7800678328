// The corpus in the tree: faulty fields in words, so that no binary is committed and every compiler's samples will do.
//
// A line of a .txt file: SAMPLE | TABLE | ENTRY | FIELD | VALUE | WHY. The table is the first of that name in the sample's layout;
// entry and field count from 0. Blank lines and lines with # at their start are passed by.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "seeds.hpp"

namespace nasm_build::fuzz {

struct RecipeInput {
    std::string name;  ///< the file and the line, as a file can be called: `elf.txt-3`
    Input input;
};

/// The inputs of one format: those of FOLDER/FORMAT.txt. Throws Error, naming the line, for one that fits no sample.
[[nodiscard]] std::vector<RecipeInput> recipe_inputs(const std::filesystem::path& folder, const std::string& format,
                                                     std::span<const Seed> seeds);

}  // namespace nasm_build::fuzz
