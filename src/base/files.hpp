// Writing a file whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace nasm_build {

/// Writes `bytes` beside `path`, as `path.partial`, and renames: a killed program leaves no half file under the name. A file
/// that was there keeps its permissions. False where it cannot be written; then nothing stays beside it.
[[nodiscard]] bool replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace nasm_build
