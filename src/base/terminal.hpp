// Whether the output goes to a person's terminal, and may be coloured.
#pragma once

namespace nasm_build {

/// Standard output is a terminal that understands ANSI's escape sequences, and the person has not set NO_COLOR.
[[nodiscard]] bool output_takes_color();

}  // namespace nasm_build
