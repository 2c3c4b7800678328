// nasm-ext: names the commands, runs the one that was asked for, and prints what went wrong.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "base/arguments.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/usage.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

int run(CLI::App& app, std::vector<std::string> words) {
    int exit_status = 0;
    app.set_version_flag("--version", std::string("nasm-ext " NASM_BUILD_VERSION), "Print the version and exit");
    app.require_subcommand(1);
    nasm_build::cli::add_assemble_command(app, exit_status);
    nasm_build::cli::add_check_command(app, exit_status);
    nasm_build::cli::add_explain_command(app, exit_status);
    nasm_build::cli::add_facts_command(app, exit_status);
    nasm_build::cli::add_isa_command(app, exit_status);
    nasm_build::cli::add_references_command(app, exit_status);
    nasm_build::cli::add_tag_command(app, exit_status);
    nasm_build::cli::add_toolchain_command(app, exit_status);
    nasm_build::cli::add_flags_command(app, exit_status);
    nasm_build::cli::add_linker_command(app, exit_status);
    nasm_build::cli::add_import_library_command(app, exit_status);
    nasm_build::cli::add_entry_points_command(app, exit_status);
    nasm_build::cli::add_trim_object_command(app, exit_status);
    try {
        std::reverse(words.begin(), words.end());  // CLI11 takes the words from the back
        app.parse(words);
    } catch (const CLI::Success& wanted) {
        return app.exit(wanted);
    } catch (const CLI::ParseError& refused) {
        throw nasm_build::cli::usage_error(app, refused);
    }
    return exit_status;
}

// Each file that is read needs a few buffers of its size. Giving that memory back after each, and having it filled with zeros for
// the next, was a fifth of the time that many files take (measured): glibc keeps what is below these sizes.
void keep_freed_memory() {
#ifdef __GLIBC__
    constexpr int mebibyte = 1 << 20;
    static_cast<void>(::mallopt(M_MMAP_THRESHOLD, 32 * mebibyte));
    static_cast<void>(::mallopt(M_TRIM_THRESHOLD, 64 * mebibyte));
#endif
}

int fail(const std::string& message, const std::string& fix) {
    fmt::print(stderr, "error: {}\n{}", message, fix.empty() ? "" : "fix: " + fix + "\n");
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    keep_freed_memory();
    CLI::App app("Tells what CPython extension modules written in NASM assembly need, and checks the finished ones",
                 "nasm-ext");
    try {
        const int exit_status = run(app, nasm_build::command_line_arguments(argc, argv));
        if (std::fflush(stdout) != 0) {
            throw std::system_error(errno, std::generic_category());
        }
        return exit_status;
    } catch (const nasm_build::Error& error) {
        return fail(error.what(), error.fix());
    } catch (const std::system_error& error) {  // ours, and how fmt tells that it could not write
        return fail("the output could not be written: " + error.code().message(), "");
    }
}
