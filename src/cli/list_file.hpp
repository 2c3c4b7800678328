// Words that stand in a file, one a line: what a build system passes where a command line would be too long (8,191 characters where
// cmd.exe runs it).
#pragma once

#include <string>
#include <vector>

namespace nasm_build::cli {

/// The lines of a file that are not empty. Throws Error where it cannot be read.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& file);

/// The words, each `@FILE` among them replaced by the lines of that file. Throws Error.
[[nodiscard]] std::vector<std::string> with_lists(const std::vector<std::string>& words);

}  // namespace nasm_build::cli
