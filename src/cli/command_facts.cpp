// `nasm-ext facts`: what finished modules and wheels consist of, for other programs.
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "inspect/facts.hpp"

namespace nasm_build::cli {

namespace {

int run(const std::vector<std::string>& paths) {
    int exit_status = 0;
    std::string before = inspect::facts_head();
    inspect::for_each_facts(paths, [&](const inspect::FileFacts& facts) {
        fmt::print("{}{}", before, inspect::facts_entry(facts));
        before = inspect::facts_separator();
        exit_status = facts.image == nullptr ? 2 : exit_status;
    });
    const bool is_empty = before != inspect::facts_separator();
    fmt::print("{}{}", is_empty ? before : "", inspect::facts_tail());
    return exit_status;
}

}  // namespace

void add_facts_command(CLI::App& app, int& exit_status) {
    const auto paths = std::make_shared<std::vector<std::string>>();
    CLI::App* command = app.add_subcommand(
        "facts", "Print what modules and wheels export, import, need and promise the loader, as JSON");
    command->add_option("PATH", *paths, "Modules (.so, .pyd, .dylib), wheels, folders and patterns")->required();
    command->footer(
        "One line an entry: a file, a module of a wheel, a slice of a fat file. Its keys are those of\n"
        "docs/facts.schema.json. Exit status: 0, or 2 when something could not be read.");
    command->callback([paths, &exit_status] { exit_status = run(*paths); });
}

}  // namespace nasm_build::cli
