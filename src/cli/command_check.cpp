// `nasm-ext check`: what is wrong with finished modules and wheels.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "inspect/check.hpp"

namespace nasm_build::cli {

namespace {

struct Options {
    std::string name;
    std::string python;
    std::string stable_abi;
    std::string target;
    std::string format = "text";
    std::vector<std::string> objects;
    std::string config;
    bool no_config = false;
    std::vector<std::string> ignored;
    std::vector<std::string> paths;
};

constexpr const char* default_config = "pyproject.toml";

std::vector<inspect::Suppression> suppressions(const Options& options) {
    std::vector<inspect::Suppression> found;
    for (const std::string& text : options.ignored) {
        found.push_back(inspect::parse_suppression(text));
    }
    std::string config = options.config;
    std::error_code ignored;
    if (config.empty() && !options.no_config && std::filesystem::exists(default_config, ignored)) {
        config = default_config;
    }
    if (!config.empty()) {
        const auto configured = inspect::read_suppressions(path_from_utf8(config));
        found.insert(found.end(), configured.begin(), configured.end());
    }
    return found;
}

inspect::CheckOptions check_options(const Options& options) {
    inspect::CheckOptions wanted;
    wanted.expected.name = options.name;
    if (!options.name.empty() && options.paths.size() > 1) {
        throw Error(fmt::format("--name {} was given for {} files", options.name, options.paths.size()),
                    "check one file at a time, or leave out --name: the file names say it");
    }
    if (!options.name.empty() && options.paths.front().ends_with(".whl")) {
        throw Error("--name was given for a wheel, which may hold several modules",
                    "leave out --name: the names inside the wheel say it");
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
    wanted.objects = options.objects;
    wanted.suppressions = suppressions(options);
    return wanted;
}

int run(const Options& options) {
    const inspect::Report report = inspect::check_files(options.paths, check_options(options));
    fmt::print("{}", options.format == "json" ? inspect::as_json(report) : inspect::as_text(report));
    const inspect::Summary sum = inspect::summarize(report);
    if (sum.unreadable > 0) {
        return 2;
    }
    return sum.errors > 0 ? 1 : 0;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("check", "Say what is wrong with finished modules and wheels");
    command->add_option("PATH", options->paths, "Modules (.so, .pyd, .dylib) and wheels")->required();
    command->add_option("--name", options->name, "The module's name, where the file's name does not say it");
    command->add_option("--python", options->python, "The CPython that it is built for: 3.13, 3.13t");
    command->add_option("--abi3", options->stable_abi,
                        "It promises the stable ABI from this CPython on: 3.10, or 3.15t for abi3t");
    command->add_option("--target", options->target,
                        "The platform that it is built for, as sysconfig.get_platform() prints it");
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command
        ->add_option("--object", options->objects,
                     "An object that the module was linked from: findings then name the source's lines")
        ->allow_extra_args(false);
    CLI::Option* const config =
        command->add_option("--config", options->config, "The pyproject.toml with [tool.nasm-build.check]");
    command->add_flag("--no-config", options->no_config, "Read no pyproject.toml")->excludes(config);
    command->add_option("--ignore", options->ignored, "Let a rule's findings stand, with the reason: RULE=REASON")
        ->allow_extra_args(false);
    command->footer("Exit status: 0 no error, 1 errors, 2 something could not be read.");
    command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace nasm_build::cli
