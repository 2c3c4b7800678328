#include "base/terminal.hpp"

#include "base/environment.hpp"

#ifdef _WIN32
#include "base/windows_text.hpp"
#else
#include <unistd.h>
#endif

namespace nasm_build {

bool output_takes_color() {
    if (environment_variable("NO_COLOR")) {
        return false;
    }
#ifdef _WIN32
    // The console of Windows 10 and later understands the sequences when it is asked to.
    const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD mode = 0;
    return GetConsoleMode(output, &mode) != 0 && SetConsoleMode(output, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
#else
    return ::isatty(STDOUT_FILENO) == 1 && environment_variable("TERM").value_or("dumb") != "dumb";
#endif
}

}  // namespace nasm_build
