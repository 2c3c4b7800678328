// How NASM and the linkers of LLVM are installed on this system: the command that an error names.
#pragma once

#include <string>
#include <string_view>

namespace nasm_build::toolchain {

/// What is to be installed.
enum class Tool { nasm, lld };

enum class System { linux_distribution, macos, windows, other };

/// The command for a system; on Linux chosen by the text of /etc/os-release (its ID, then each word of ID_LIKE).
[[nodiscard]] std::string install_command(Tool tool, System system, std::string_view os_release);

/// The same for the system that this program runs on.
[[nodiscard]] std::string install_command(Tool tool);

}  // namespace nasm_build::toolchain
