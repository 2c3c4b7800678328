// The words of the command line, in UTF-8 on every system.
#pragma once

#include <string>
#include <vector>

namespace nasm_build {

/// The words after the program's name. On Windows they are read from the wide command line, because `argv` is in the
/// process's code page there and loses every character that the code page lacks; elsewhere they are `argv` itself.
[[nodiscard]] std::vector<std::string> command_line_arguments(int count, const char* const* words);

}  // namespace nasm_build
