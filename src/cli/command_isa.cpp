// `nasm-ext isa`: which instruction sets each function of a module needs, and whether the module asks the processor first.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "inspect/code/code.hpp"
#include "inspect/read/read.hpp"
#include "inspect/read/wheel.hpp"
#include "inspect/report/report.hpp"

namespace nasm_build::cli {

namespace {

using Json = nlohmann::ordered_json;
namespace code = inspect::code;

struct Options {
    std::vector<std::string> paths;
    std::string format = "text";
    bool all = false;
};

/// One image, or the reason why there is nothing to say of it.
struct Row {
    std::string path;
    std::string member;
    std::string slice;
    std::string machine;
    std::string reason;
    bool is_unreadable = false;
    code::Code code;
};

void add_images(std::vector<Row>& rows, const std::string& path, const std::string& member,
                std::span<const std::byte> bytes) {
    try {
        for (const inspect::Image& image : inspect::read_images(bytes)) {
            Row row{path, member, image.slice, inspect::name_of(image.machine), {}, false, {}};
            if (code::is_scanned(image)) {
                row.code = code::read_code(bytes, image);
            } else {
                row.reason = fmt::format("it is code for {}", row.machine);
            }
            rows.push_back(std::move(row));
        }
    } catch (const Error& error) {
        rows.push_back({path, member, {}, {}, error.what(), true, {}});
    }
}

void add_file(std::vector<Row>& rows, const std::string& path) {
    try {
        const inspect::FileBytes file = inspect::read_file(path_from_utf8(path));
        if (inspect::file_type_of(file.bytes()) != inspect::FileType::zip) {
            add_images(rows, path, {}, file.bytes());
            return;
        }
        const std::size_t modules = inspect::for_each_module(file.bytes(), [&](const inspect::WheelModule& module) {
            add_images(rows, path, std::string(module.name), module.bytes);
        });
        if (modules == 0) {
            rows.push_back({path, {}, {}, {}, "there is no extension module in it", false, {}});
        }
    } catch (const Error& error) {
        rows.push_back({path, {}, {}, {}, error.what(), true, {}});
    }
}

std::vector<const code::Function*> shown(const Row& row, bool all) {
    std::vector<const code::Function*> functions;
    for (const code::Function& function : row.code.functions) {
        if (all || !function.features.empty() || function.asks) {
            functions.push_back(&function);
        }
    }
    return functions;
}

std::vector<std::string> names(const code::FeatureSet& features) {
    std::vector<std::string> all;
    for (const code::Feature feature : features.list()) {
        all.emplace_back(code::name_of(feature));
    }
    return all;
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : separator) + word;
    }
    return text;
}

// The instruction that puts the function on its level; of a function on none above the first, its first special one.
const code::Witness* deciding(const code::Function& function) {
    const code::Level level = code::level_of(function.features);
    const auto found =
        std::find_if(function.witnesses.begin(), function.witnesses.end(),
                     [level](const code::Witness& witness) { return code::level_of(witness.feature) == level; });
    return found == function.witnesses.end() ? nullptr : &*found;
}

void print_text(const Row& row, bool all) {
    const std::string place = inspect::printable(row.path + (row.member.empty() ? "" : ": " + row.member) +
                                                 (row.slice.empty() ? "" : " (" + row.slice + ")"));
    if (!row.reason.empty()) {
        fmt::print("{}: {}{}\n", place, row.is_unreadable ? "error: " : "not read: ", inspect::printable(row.reason));
        return;
    }
    const code::FeatureSet features = row.code.features();
    const std::vector<std::string> beyond = code::beyond_levels(features);
    fmt::print("{}: {}{}{}; {}; {} functions{}\n", place, code::name_of(code::level_of(features)),
               beyond.empty() ? "" : " and ", joined(beyond, ", "),
               row.code.asks.empty() ? "asks nothing of the processor"
                                     : "asks the processor (" + joined(row.code.asks, ", ") + ")",
               row.code.functions.size(),
               row.code.not_decoded == 0 ? "" : fmt::format(", {} not decoded", row.code.not_decoded));
    const std::vector<const code::Function*> functions = shown(row, all);
    std::size_t width = 0;
    for (const code::Function* function : functions) {
        width = std::max(width, std::min<std::size_t>(inspect::printable(code::display_name(*function)).size(), 48));
    }
    for (const code::Function* function : functions) {
        const code::Witness* const witness = deciding(*function);
        std::string text = fmt::format("  {}  {:<{}}  {}{}", code::name_of(code::level_of(function->features)),
                                       inspect::printable(code::display_name(*function)), width,
                                       joined(names(function->features), " "),
                                       function->asks              ? "  (asks)"
                                       : function->follows_runtime ? "  (follows the C runtime)"
                                                                   : "");
        if (witness != nullptr) {
            text += fmt::format("  {} at {:#x}", witness->mnemonic, witness->address);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        fmt::print("{}\n", text);
    }
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(const Row& row, bool all) {
    Json json = {{"path", row.path},
                 {"member", text_or_null(row.member)},
                 {"slice", text_or_null(row.slice)},
                 {"machine", text_or_null(row.machine)},
                 {"reason", text_or_null(row.reason)}};
    if (!row.reason.empty()) {
        return json;
    }
    Json functions = Json::array();
    for (const code::Function* function : shown(row, all)) {
        Json first = Json::array();
        for (const code::Witness& witness : function->witnesses) {
            first.push_back({{"feature", code::name_of(witness.feature)},
                             {"instruction", witness.mnemonic},
                             {"address", witness.address}});
        }
        functions.push_back({{"name", text_or_null(function->name)},
                             {"address", function->address},
                             {"instructions", function->instructions},
                             {"level", code::name_of(code::level_of(function->features))},
                             {"features", names(function->features)},
                             {"first", std::move(first)},
                             {"asks", function->asks},
                             {"calls", function->calls},
                             {"follows_runtime", function->follows_runtime},
                             {"keeps_frame", function->keeps_frame}});
    }
    const code::FeatureSet features = row.code.features();
    json["level"] = code::name_of(code::level_of(features));
    json["features"] = names(features);
    json["asks"] = row.code.asks;
    json["code_bytes"] = row.code.size;
    json["functions_read"] = row.code.functions.size();
    json["functions_not_decoded"] = row.code.not_decoded;
    json["functions"] = std::move(functions);
    return json;
}

int run(const Options& options) {
    std::vector<Row> rows;
    for (const std::string& path : options.paths) {
        add_file(rows, path);
    }
    if (options.format == "json") {
        Json files = Json::array();
        for (const Row& row : rows) {
            files.push_back(to_json(row, options.all));
        }
        const Json document = {{"schema_version", 1}, {"files", std::move(files)}};
        fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        for (const Row& row : rows) {
            print_text(row, options.all);
        }
    }
    return std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.is_unreadable; }) ? 2 : 0;
}

}  // namespace

void add_isa_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("isa", "Say which instruction sets the functions of a module need");
    command->add_option("PATH", options->paths, "Modules (.so, .pyd, .dylib) and wheels, for x86-64")->required();
    command->add_flag("--all", options->all, "List the functions that every x86-64 processor runs as well");
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->footer("Exit status: 0, or 2 when something could not be read.");
    command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace nasm_build::cli
