// `nasm-ext linker`: which linker writes modules for Windows or macOS on this machine.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "toolchain/find_linker.hpp"
#include "toolchain/flags.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::cli {

namespace {

using Json = nlohmann::ordered_json;
using toolchain::LinkerSearch;

struct Options {
    std::string target;
    std::string linker;
    std::string zig;
    std::string format = "text";
};

std::optional<std::string> given(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

Json linker_json(const LinkerSearch& search) {
    if (!search.linker) {
        return nullptr;
    }
    return {{"words", search.linker->words},
            {"kind", toolchain::name_of(search.linker->kind)},
            {"version", search.linker->version},
            {"origin", toolchain::name_of(search.linker->origin)}};
}

void print_json(const LinkerSearch& search) {
    Json rejected = Json::array();
    for (const toolchain::RejectedLinker& one : search.rejected) {
        rejected.push_back({{"path", one.path}, {"origin", toolchain::name_of(one.origin)}, {"reason", one.reason}});
    }
    const Json error = search.error.empty() ? Json(nullptr) : Json{{"message", search.error}, {"fix", search.fix}};
    const Json whole = {{"schema_version", 1},
                        {"linker", linker_json(search)},
                        {"linker_rejected", std::move(rejected)},
                        {"linker_error", error}};
    fmt::print("{}\n", whole.dump(2, ' ', false, Json::error_handler_t::replace));
}

void print_text(const LinkerSearch& search) {
    if (search.linker) {
        fmt::print("linker: {} {} ({})\n", toolchain::shell_line(search.linker->words), search.linker->version,
                   toolchain::name_of(search.linker->origin));
    } else {
        fmt::print("linker: none\n");
    }
    for (const toolchain::RejectedLinker& one : search.rejected) {
        fmt::print("  passed over {} ({}): {}\n", one.path, toolchain::name_of(one.origin), one.reason);
    }
    if (!search.error.empty()) {
        fmt::print("  error: {}\n  fix: {}\n", search.error, search.fix);
    }
}

}  // namespace

void add_linker_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("linker", "Tell which linker writes modules for another platform here");
    command->add_option("--target", options->target, "The platform that is linked for: win-amd64, macosx-11.0-x86_64")
        ->required();
    command->add_option("--linker", options->linker, "The linker to use instead of searching");
    command->add_option("--zig", options->zig, "The program of an installed ziglang, the last candidate");
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback([options, &exit_status] {
        const LinkerSearch search =
            toolchain::find_linker(toolchain::find_target(options->target),
                                   toolchain::linker_places(given(options->linker), given(options->zig)));
        if (options->format == "json") {
            print_json(search);
        } else {
            print_text(search);
        }
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
