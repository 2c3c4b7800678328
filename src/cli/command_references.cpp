// `nasm-ext references`: which source lines refer to a symbol, where a linker's message names none.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "inspect/read/object.hpp"
#include "inspect/read/read.hpp"

namespace nasm_build::cli {

namespace {

struct Options {
    std::string symbol;
    std::string format = "text";
    std::vector<std::string> objects;
};

std::vector<inspect::Reference> references(const Options& options) {
    std::vector<inspect::Reference> all;
    for (const std::string& path : options.objects) {
        try {
            const inspect::FileBytes file = inspect::read_file(path_from_utf8(path));
            const auto found = inspect::references(file.bytes(), options.symbol);
            all.insert(all.end(), found.begin(), found.end());
        } catch (const Error& error) {
            throw Error(fmt::format("{}: {}", path, error.what()), error.fix());
        }
    }
    return all;
}

// An object without lines still says which section and offset refer to the symbol.
void print_text(const std::vector<inspect::Reference>& references) {
    for (const inspect::Reference& one : references) {
        const std::string place = one.file.empty() ? "?" : fmt::format("{}:{}", one.file, one.line);
        fmt::print("{}: relocation {} in {}+0x{:x}\n", place, one.relocation, one.section, one.offset);
    }
}

void print_json(const std::vector<inspect::Reference>& references) {
    using Json = nlohmann::ordered_json;
    Json places = Json::array();
    for (const inspect::Reference& one : references) {
        places.push_back({{"file", one.file.empty() ? Json(nullptr) : Json(one.file)},
                          {"line", one.line},
                          {"section", one.section},
                          {"offset", one.offset},
                          {"relocation", one.relocation}});
    }
    const Json document = {{"schema_version", 1}, {"places", std::move(places)}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

void add_references_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("references", "Say which lines of the sources refer to a symbol");
    command->add_option("--symbol", options->symbol, "The symbol's name as the object has it")->required();
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->add_option("OBJECT", options->objects, "ELF objects that NASM wrote")->required();
    command->callback([options, &exit_status] {
        const std::vector<inspect::Reference> found = references(*options);
        if (options->format == "json") {
            print_json(found);
        } else {
            print_text(found);
        }
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
