// `nasm-ext toolchain`: everything that a target needs, for the Python side (JSON) and for people.
#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/toolchain_options.hpp"
#include "toolchain/find_nasm.hpp"
#include "toolchain/flags.hpp"

namespace nasm_build::cli {

namespace {

using Json = nlohmann::ordered_json;
using toolchain::NasmSearch;
using toolchain::PythonBuild;
using toolchain::Target;

struct Options {
    TargetOptions target;
    std::string nasm;
    std::string format = "text";
};

// What the command tells, in either form.
struct Answer {
    Target target;
    std::optional<PythonBuild> python;  // the one that was named
    std::optional<PythonBuild> build;  // what the module is built for
    NasmSearch search;  // empty for a target that NASM cannot write for
    std::vector<std::string> flags;
};

Answer answer(const Options& options) {
    Answer facts;
    facts.target = chosen_target(options.target);
    facts.python = chosen_python(options.target);
    facts.build = chosen_build(options.target);
    facts.flags = toolchain::nasm_flags(facts.target, facts.build);
    if (facts.target.assembles) {
        const std::optional<std::string> setting = options.nasm.empty() ? std::nullopt : std::optional(options.nasm);
        facts.search = toolchain::find_nasm(toolchain::nasm_places(setting));
    }
    return facts;
}

Json target_json(const Target& target) {
    return {{"name", target.name},
            {"platform", target.platform},
            {"assembles", target.assembles},
            {"fallback_half", target.fallback_half},
            {"object_format", target.object_format},
            {"symbol_prefix", target.symbol_prefix},
            {"debug_format", target.debug_format},
            {"defines", target.defines},
            {"link_style", toolchain::name_of(target.link_style)},
            {"object_suffix", target.object_suffix}};
}

Json nasm_json(const NasmSearch& search) {
    if (!search.nasm) {
        return nullptr;
    }
    return {{"path", search.nasm->path},
            {"version", search.nasm->version},
            {"origin", toolchain::name_of(search.nasm->origin)},
            {"warnings", search.nasm->warnings}};
}

Json rejected_json(const NasmSearch& search) {
    Json list = Json::array();
    for (const toolchain::RejectedNasm& one : search.rejected) {
        list.push_back({{"path", one.path}, {"origin", toolchain::name_of(one.origin)}, {"reason", one.reason}});
    }
    return list;
}

Json error_json(const NasmSearch& search) {
    if (search.error.empty()) {
        return nullptr;
    }
    return {{"message", search.error}, {"fix", search.fix}};
}

// The Python that was named; with a stable ABI alone the oldest one that it promises.
Json python_json(const Answer& facts) {
    if (!facts.build) {
        return nullptr;
    }
    const PythonBuild& python = facts.python ? *facts.python : *facts.build;
    return {{"version", to_string(python.version)},
            {"free_threaded", python.free_threaded},
            {"abi", toolchain::name_of(facts.build->abi)}};
}

Json module_json(const Answer& facts) {
    if (!facts.build) {
        return nullptr;
    }
    const toolchain::WheelTag tag = toolchain::wheel_tag(facts.target, *facts.build);
    return {{"suffix", toolchain::module_suffix(facts.target, *facts.build)},
            {"python_tag", tag.python},
            {"abi_tag", tag.abi},
            {"platform_tag", tag.platform}};
}

void print_json(const Answer& facts) {
    const Json whole = {{"schema_version", 1},
                        {"version", NASM_BUILD_VERSION},
                        {"target", target_json(facts.target)},
                        {"nasm", nasm_json(facts.search)},
                        {"nasm_rejected", rejected_json(facts.search)},
                        {"nasm_error", error_json(facts.search)},
                        {"flags", facts.flags},
                        {"python", python_json(facts)},
                        {"module", module_json(facts)}};
    // File names may hold bytes that are no UTF-8; the replacement keeps the document readable.
    fmt::print("{}\n", whole.dump(2, ' ', false, Json::error_handler_t::replace));
}

void print_nasm(const NasmSearch& search) {
    if (search.nasm) {
        fmt::print("nasm: {} {} ({})\n", search.nasm->path, search.nasm->version,
                   toolchain::name_of(search.nasm->origin));
        for (const std::string& warning : search.nasm->warnings) {
            fmt::print("  warning: {}\n", warning);
        }
    } else {
        fmt::print("nasm: none\n");
    }
    for (const toolchain::RejectedNasm& one : search.rejected) {
        fmt::print("  passed over {} ({}): {}\n", one.path, toolchain::name_of(one.origin), one.reason);
    }
    if (!search.error.empty()) {
        fmt::print("  error: {}\n  fix: {}\n", search.error, search.fix);
    }
}

void print_text(const Answer& facts) {
    if (facts.target.assembles) {
        fmt::print("target: {} ({} objects, {} debug data)\n", facts.target.platform, facts.target.object_format,
                   facts.target.debug_format);
        print_nasm(facts.search);
        fmt::print("flags: {}\n", toolchain::shell_line(facts.flags));
    } else {
        fmt::print("target: {} (NASM cannot write for it: C fallbacks take the place of assembly)\n",
                   facts.target.name);
    }
    if (facts.build) {
        const toolchain::WheelTag tag = toolchain::wheel_tag(facts.target, *facts.build);
        fmt::print("module: NAME{}\n", toolchain::module_suffix(facts.target, *facts.build));
        fmt::print("wheel: {}-{}-{}\n", tag.python, tag.abi, tag.platform);
    }
}

}  // namespace

void add_toolchain_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("toolchain", "Tell what a target needs: NASM, its flags, names and tags");
    add_target_options(*command, options->target);
    command->add_option("--nasm", options->nasm, "The NASM to use instead of searching");
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback([options, &exit_status] {
        const Answer facts = answer(*options);
        if (options->format == "json") {
            print_json(facts);
        } else {
            print_text(facts);
        }
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
