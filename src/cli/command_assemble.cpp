// `nasm-ext assemble`: one run of NASM for build systems: a whole object or none, its dependencies, messages with fixes.
#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/list_file.hpp"
#include "toolchain/assemble.hpp"
#include "toolchain/find_nasm.hpp"

namespace nasm_build::cli {

namespace {

struct Options {
    toolchain::Assembly assembly;
    std::string words_file;
    std::string format = "text";
};

std::string searched_nasm() {
    const toolchain::NasmSearch search = toolchain::find_nasm(toolchain::nasm_places(std::nullopt));
    if (!search.nasm) {
        throw Error(search.error, search.fix);
    }
    return search.nasm->path;
}

void print_text(const toolchain::Assembled& made) {
    for (const toolchain::NasmProblem& problem : made.problems) {
        fmt::print(stderr, "{}\n", toolchain::rendered(problem));
    }
    if (!made.details.empty()) {
        fmt::print(stderr, "{}\n", made.details);
    }
}

void print_json(const toolchain::Assembled& made) {
    using Json = nlohmann::ordered_json;
    Json problems = Json::array();
    for (const toolchain::NasmProblem& problem : made.problems) {
        problems.push_back({{"file", problem.file},
                            {"line", problem.line},
                            {"severity", problem.is_error ? "error" : "warning"},
                            {"message", problem.text},
                            {"fix", problem.fix}});
    }
    const Json whole = {{"schema_version", 1},
                        {"made", made.is_made},
                        {"problems", problems},
                        {"inputs", made.inputs},
                        {"details", made.details}};
    fmt::print("{}\n", whole.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int run(Options options) {
    toolchain::Assembly& assembly = options.assembly;
    if (!options.words_file.empty()) {
        std::vector<std::string> words = lines_of(options.words_file);
        assembly.words.insert(assembly.words.begin(), words.begin(), words.end());
    }
    if (assembly.nasm.empty()) {
        assembly.nasm = searched_nasm();
    }
    assembly.tells_inputs = options.format == "json";
    const toolchain::Assembled made = toolchain::assemble(assembly);
    if (options.format == "json") {
        print_json(made);
    } else {
        print_text(made);
    }
    return made.is_made ? 0 : 1;
}

}  // namespace

void add_assemble_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    toolchain::Assembly& assembly = options->assembly;
    CLI::App* command = app.add_subcommand("assemble", "Run NASM on one source, as the rules of a build system do");
    command->add_option("SOURCE", assembly.source, "The source, as messages and debug data are to name it")->required();
    command->add_option("WORDS", assembly.words, "Words for NASM, behind --: those of `nasm-ext flags`, -I, -D");
    command->add_option("--object", assembly.object, "The object to make")->required();
    command->add_option("--lines", assembly.lined_object,
                        "Make OBJECT without debug data, and this one with it, for `nasm-ext check --object`");
    command->add_option("--depfile", assembly.depfile, "Write what OBJECT is made from, as a rule for Make and Ninja");
    command->add_flag("--hide", assembly.hides, "Hide the global symbols but entry points from users of the module");
    command->add_option("--export", assembly.exports, "A symbol that --hide leaves alone; may be given again")
        ->allow_extra_args(false);
    command->add_option("--words", options->words_file, "A file with words for NASM, one a line");
    command->add_option("--format", options->format, "text, or json: the problems and what OBJECT is made from")
        ->check(CLI::IsMember({"text", "json"}));
    command->add_option("--nasm", assembly.nasm, "The NASM to run; it is searched for where this is not given");
    command->footer(
        "Exit status: 0, 1 when NASM refuses the source, or 2 when something could not be read, run or written.");
    command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace nasm_build::cli
