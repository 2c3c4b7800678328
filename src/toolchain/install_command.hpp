// How NASM is installed on this system: the command that the error names.
#pragma once

#include <string>
#include <string_view>

namespace nasm_build::toolchain {

enum class System { linux_distribution, macos, windows, other };

/// The command for a system; on Linux chosen by the text of /etc/os-release (its ID, then each word of ID_LIKE).
[[nodiscard]] std::string nasm_install_command(System system, std::string_view os_release);

/// The same for the system that this program runs on.
[[nodiscard]] std::string nasm_install_command();

}  // namespace nasm_build::toolchain
