// `nasm-ext check`: what is wrong with finished modules and wheels.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/terminal.hpp"
#include "cli/commands.hpp"
#include "cli/list_file.hpp"
#include "inspect/baseline.hpp"
#include "inspect/check.hpp"

namespace nasm_build::cli {

namespace {

struct Options {
    std::string name;
    std::string python;
    std::string stable_abi;
    std::string target;
    std::string format = "text";
    std::string output;
    std::string color = "auto";
    bool quiet = false;
    bool verbose = false;
    bool strict = false;
    bool isa = false;
    bool abi = false;
    unsigned threads = 0;
    std::vector<std::string> objects;
    std::string config;
    bool no_config = false;
    std::string baseline;
    std::string new_baseline;
    std::vector<std::string> ignored;
    std::vector<std::string> paths;
    bool deletes = false;
};

constexpr const char* default_config = "pyproject.toml";

inspect::CheckSettings settings(const Options& options) {
    inspect::CheckSettings found;
    std::string config = options.config;
    std::error_code ignored;
    if (config.empty() && !options.no_config && std::filesystem::exists(default_config, ignored)) {
        config = default_config;
    }
    if (!config.empty()) {
        found = inspect::read_check_settings(path_from_utf8(config));
    }
    if (!options.baseline.empty()) {
        found.baseline = path_from_utf8(options.baseline);
    }
    std::vector<inspect::Suppression> first;  // the command line's reasons win
    for (const std::string& text : options.ignored) {
        first.push_back(inspect::parse_suppression(text));
    }
    found.suppressions.insert(found.suppressions.begin(), first.begin(), first.end());
    return found;
}

inspect::CheckOptions check_options(const Options& options) {
    inspect::CheckOptions wanted;
    wanted.threads = options.threads;
    wanted.read_all_code = options.isa;
    wanted.verify_conventions = options.abi;
    wanted.expected.name = options.name;
    if (!options.name.empty() && options.paths.size() > 1) {
        throw Error(fmt::format("--name {} was given for {} files", options.name, options.paths.size()),
                    "check one file at a time, or leave out --name: the file names say it");
    }
    std::error_code ignored;
    if (!options.name.empty() && (options.paths.front().ends_with(".whl") ||
                                  std::filesystem::is_directory(path_from_utf8(options.paths.front()), ignored))) {
        throw Error(fmt::format("--name was given for a {}, which may hold several modules",
                                options.paths.front().ends_with(".whl") ? "wheel" : "folder"),
                    "leave out --name: the names inside it say it");
    }
    std::optional<toolchain::PythonBuild> python;
    std::optional<toolchain::PythonBuild> stable_abi;
    if (!options.python.empty()) {
        python = toolchain::parse_python(options.python);
    }
    if (!options.stable_abi.empty()) {
        stable_abi = toolchain::parse_stable_abi(options.stable_abi);
    }
    wanted.expected.python = toolchain::choose_build(python, stable_abi);
    if (!options.target.empty()) {
        wanted.expected.target = toolchain::find_target(options.target);
    }
    wanted.objects = with_lists(options.objects);
    return wanted;
}

void write_file(const std::string& name, const std::string& text) {
    if (!replace_file(path_from_utf8(name), std::as_bytes(std::span(text)))) {
        throw Error(fmt::format("{} could not be written", name), "name a file in a folder that can be written to");
    }
}

std::string text_of(const inspect::Report& report, const Options& options) {
    if (options.format == "json") {
        return inspect::as_json(report);
    }
    if (options.format == "sarif") {
        return inspect::as_sarif(report);
    }
    if (options.format == "github") {
        return inspect::as_github(report);
    }
    inspect::TextStyle style;
    style.color =
        options.color == "always" || (options.color == "auto" && options.output.empty() && output_takes_color());
    style.quiet = options.quiet;
    style.strict = options.strict;
    style.verbose = options.verbose;
    return inspect::as_text(report, style);
}

// A report that goes to a file leaves the terminal the findings: what the person at it came for.
void print(const inspect::Report& report, const Options& options) {
    if (options.output.empty()) {
        fmt::print("{}", text_of(report, options));
        return;
    }
    write_file(options.output, text_of(report, options));
    inspect::TextStyle style;
    style.color = options.color == "always" || (options.color == "auto" && output_takes_color());
    style.quiet = options.quiet;
    style.strict = options.strict;
    fmt::print("{}", inspect::as_text(report, style));
}

int exit_status_of(const inspect::Report& report, const Options& options) {
    const inspect::Summary sum = inspect::summarize(report);
    if (sum.unreadable > 0) {
        return 2;
    }
    return sum.errors > 0 || (options.strict && sum.warnings > 0) ? 1 : 0;
}

// A build system that finds the file again takes it for up to date: Ninja keeps what a failed command has made.
void delete_files(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        std::error_code error;
        std::filesystem::remove(path_from_utf8(name), error);
        if (error) {
            throw Error(fmt::format("{}: cannot be deleted: {}", name, error.message()), "delete it by hand");
        }
    }
}

int run(const Options& options) {
    inspect::CheckOptions wanted = check_options(options);
    inspect::CheckSettings configured = settings(options);
    wanted.suppressions = configured.suppressions;
    inspect::Report report = inspect::check_files(options.paths, wanted);
    if (!options.new_baseline.empty()) {
        write_file(options.new_baseline, inspect::baseline_text(report));
        inspect::silence_by_baseline(report, inspect::read_baseline(path_from_utf8(options.new_baseline)));
    } else if (!configured.baseline.empty()) {
        inspect::silence_by_baseline(report, inspect::read_baseline(configured.baseline));
    }
    print(report, options);
    const int exit_status = exit_status_of(report, options);
    if (exit_status != 0 && options.deletes) {
        delete_files(options.paths);
    }
    return exit_status;
}

// What could not be checked is deleted like what failed: a build system may take it for up to date otherwise.
int run_for_build_system(const Options& options) {
    try {
        return run(options);
    } catch (const Error&) {
        if (options.deletes) {
            delete_files(options.paths);
        }
        throw;
    }
}

void add_expectations(CLI::App& command, Options& options) {
    command.add_option("--name", options.name, "The module's name, where the file's name does not say it");
    command.add_option("--python", options.python, "The CPython that it is built for: 3.13, 3.13t");
    command.add_option("--abi3", options.stable_abi,
                       "It promises the stable ABI from this CPython on: 3.10, or 3.15t for abi3t");
    command.add_option("--target", options.target,
                       "The platform that it is built for, as sysconfig.get_platform() prints it");
    command.add_flag("--isa", options.isa, "Read the code of modules with more than 16 MiB of it too");
    command.add_flag("--abi", options.abi, "Follow every path of the code and verify its calling conventions");
    command
        .add_option("--object", options.objects,
                    "An object that the module was linked from: findings then name the source's lines. @FILE: "
                    "those that the file lists, one a line")
        ->allow_extra_args(false);
}

void add_output(CLI::App& command, Options& options) {
    command.add_option("--format", options.format, "text, json, sarif, or github for annotations in a workflow")
        ->check(CLI::IsMember({"text", "json", "sarif", "github"}));
    command.add_option("--output", options.output, "Write the report to this file, and print the findings as text");
    command.add_option("--color", options.color, "auto, always or never; auto heeds NO_COLOR")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    CLI::Option* const quiet =
        command.add_flag("--quiet,-q", options.quiet, "Print only what makes the check fail, and no summary");
    command.add_flag("--verbose,-v", options.verbose, "Print also which rules passed and which are not applicable")
        ->excludes(quiet);
    command.add_flag("--strict", options.strict, "Count warnings as errors");
    command.add_flag("--delete-failed", options.deletes,
                     "Delete the files when the check fails: for rules of a build system");
    command.add_option("--threads", options.threads, "Files checked at once (default: one a processor)");
}

void add_silence(CLI::App& command, Options& options) {
    CLI::Option* const config =
        command.add_option("--config", options.config, "The pyproject.toml with [tool.nasm-build.check]");
    command.add_flag("--no-config", options.no_config, "Read no pyproject.toml")->excludes(config);
    command.add_option("--ignore", options.ignored, "Let a rule's findings stand, with the reason: RULE=REASON")
        ->allow_extra_args(false);
    CLI::Option* const baseline =
        command.add_option("--baseline", options.baseline, "Do not count the findings that this file has");
    command
        .add_option("--write-baseline", options.new_baseline,
                    "Write the findings of now to this file: later checks count new ones alone")
        ->excludes(baseline);
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("check", "Say what is wrong with finished modules and wheels");
    command
        ->add_option("PATH", options->paths,
                     "Modules (.so, .pyd, .dylib), wheels, folders with such files in them, and patterns")
        ->required();
    add_expectations(*command, *options);
    add_output(*command, *options);
    add_silence(*command, *options);
    command->footer(
        "Exit status: 0 no error (with --strict: no warning either), 1 errors, 2 something could not be read.\n"
        "nasm-ext explain RULE prints what a rule means and how to mend what it finds.");
    command->callback([options, &exit_status] { exit_status = run_for_build_system(*options); });
}

}  // namespace nasm_build::cli
