// What the environment tells: variables, the program's own file, and paths in UTF-8 on every system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build {

/// The variable's value in UTF-8; nothing when it is not set, or set to an empty text.
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);

/// The folders of a PATH-like text, in order. Empty ones are left out: they mean the working folder, and a build's
/// working folder is not the one in which the person typed.
[[nodiscard]] std::vector<std::string> split_search_path(std::string_view text);

/// `std::filesystem::path` takes narrow text for the code page on Windows; these two keep to UTF-8.
[[nodiscard]] std::filesystem::path path_from_utf8(std::string_view text);
[[nodiscard]] std::string path_to_utf8(const std::filesystem::path& path);

/// The file that this process runs, with symbolic links resolved; empty where the system does not tell.
[[nodiscard]] std::filesystem::path executable_path();

}  // namespace nasm_build
