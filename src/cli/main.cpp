// nasm-ext: names the commands, runs the one that was asked for, and prints what went wrong.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "base/arguments.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/usage.hpp"

namespace {

constexpr int usage_status = 2;

int run(CLI::App& app, std::vector<std::string> words) {
    int exit_status = 0;
    app.set_version_flag("--version", std::string("nasm-ext " NASM_BUILD_VERSION), "Print the version and exit");
    app.require_subcommand(1);
    nasm_build::cli::add_check_command(app, exit_status);
    nasm_build::cli::add_references_command(app, exit_status);
    nasm_build::cli::add_toolchain_command(app, exit_status);
    nasm_build::cli::add_flags_command(app, exit_status);
    try {
        // CLI11 takes the words from the back.
        std::reverse(words.begin(), words.end());
        app.parse(words);
    } catch (const CLI::Success& wanted) {
        return app.exit(wanted);
    } catch (const CLI::ParseError& refused) {
        throw nasm_build::cli::usage_error(app, refused);
    }
    return exit_status;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Tells what CPython extension modules written in NASM assembly need, and checks the finished ones",
                 "nasm-ext");
    try {
        return run(app, nasm_build::command_line_arguments(argc, argv));
    } catch (const nasm_build::Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        if (!error.fix().empty()) {
            fmt::print(stderr, "fix: {}\n", error.fix());
        }
    }
    return usage_status;
}
