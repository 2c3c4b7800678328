#include "cli/toolchain_options.hpp"

#include "base/error.hpp"

namespace nasm_build::cli {

void add_target_options(CLI::App& command, TargetOptions& options) {
    command.add_option("--target", options.platform,
                       "The platform of the Python that will import the module, as sysconfig.get_platform() prints it: "
                       "linux-x86_64, macosx-11.0-x86_64, win-amd64 (default: this machine)");
    command
        .add_option("--pointer-bits", options.pointer_bits,
                    "That Python's pointer size, because a 32-bit Python on a 64-bit Linux reports the machine")
        ->check(CLI::IsMember({"64", "32"}));
    command.add_option("--c-library", options.c_library, "On Linux, the C library that Python runs on")
        ->check(CLI::IsMember({"gnu", "musl"}));
    command.add_option("--python", options.python, "The CPython to build for: 3.13, 3.13t");
    command.add_option("--abi3", options.stable_abi,
                       "Promise the stable ABI from this CPython on: 3.10, or 3.15t for abi3t");
}

toolchain::Target chosen_target(const TargetOptions& options) {
    const toolchain::CLibrary named =
        options.c_library == "musl" ? toolchain::CLibrary::musl : toolchain::CLibrary::gnu;
    const toolchain::CLibrary c_library =
        options.c_library.empty() && options.platform.empty() ? toolchain::host_c_library() : named;
    return toolchain::find_target(options.platform.empty() ? toolchain::host_platform() : options.platform,
                                  options.pointer_bits == "32" ? 32 : 64, c_library);
}

std::optional<toolchain::PythonBuild> chosen_python(const TargetOptions& options) {
    if (options.python.empty()) {
        return std::nullopt;
    }
    return toolchain::parse_python(options.python);
}

std::optional<toolchain::PythonBuild> chosen_build(const TargetOptions& options) {
    std::optional<toolchain::PythonBuild> stable_abi;
    if (!options.stable_abi.empty()) {
        stable_abi = toolchain::parse_stable_abi(options.stable_abi);
    }
    return toolchain::choose_build(chosen_python(options), stable_abi);
}

}  // namespace nasm_build::cli
