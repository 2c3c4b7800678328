#include "base/arguments.hpp"

#ifdef _WIN32
#include "base/windows_text.hpp"

// Needs windows.h, which windows_text.hpp includes.
#include <shellapi.h>

#include <memory>
#endif

namespace nasm_build {

std::vector<std::string> command_line_arguments([[maybe_unused]] int count, [[maybe_unused]] const char* const* words) {
    std::vector<std::string> arguments;
#ifdef _WIN32
    int wide_count = 0;
    const std::unique_ptr<LPWSTR, decltype(&LocalFree)> wide(CommandLineToArgvW(GetCommandLineW(), &wide_count),
                                                             &LocalFree);
    for (int index = 1; wide && index < wide_count; ++index) {
        arguments.push_back(to_utf8(wide.get()[index]));
    }
#else
    for (int index = 1; index < count; ++index) {
        arguments.emplace_back(words[index]);
    }
#endif
    return arguments;
}

}  // namespace nasm_build
