// `nasm-ext flags`: the words to put after `nasm`, for people, Makefiles and Meson.
#include <fmt/core.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/toolchain_options.hpp"
#include "toolchain/flags.hpp"
#include "toolchain/installation.hpp"

namespace nasm_build::cli {

namespace {

struct Options {
    TargetOptions target;
    bool include = false;
    std::string include_folder;
};

std::string include_folder(const Options& options) {
    if (!options.include_folder.empty()) {
        return options.include_folder;
    }
    if (const auto folder = toolchain::find_include_folder(executable_path())) {
        return path_to_utf8(*folder);
    }
    throw Error("the include folder was not found: this nasm-ext does not stand beside an installed nasm_build package",
                "name it: nasm-ext flags --include-dir \"$(python -c 'import nasm_build; "
                "print(nasm_build.get_include())')\"");
}

// With the closing separator: before 2.14 NASM joined folder and file without one (mesonbuild/meson#14043), and the
// line may be used with a NASM that we did not choose.
std::string with_separator(std::string folder) {
    if (!folder.ends_with('/') && !folder.ends_with('\\')) {
        folder += '/';
    }
    return folder;
}

std::vector<std::string> words(const Options& options) {
    const toolchain::Target target = chosen_target(options.target);
    if (!target.assembles) {
        throw Error(fmt::format("NASM cannot write for {}", target.name),
                    "build C sources in place of the assembly there, or name another target: --target linux-x86_64");
    }
    std::vector<std::string> flags = toolchain::nasm_flags(target, chosen_build(options.target));
    if (options.include || !options.include_folder.empty()) {
        flags.push_back("-I" + with_separator(include_folder(options)));
    }
    return flags;
}

}  // namespace

void add_flags_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("flags", "Print the words to put after nasm, quoted for a shell");
    add_target_options(*command, options->target);
    command->add_flag("--include", options->include, "End with -I and the folder of Python.inc");
    command->add_option("--include-dir", options->include_folder, "The same with this folder");
    command->callback([options, &exit_status] {
        fmt::print("{}\n", toolchain::shell_line(words(*options)));
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
