// `nasm-ext tag`: the lowest platform tags that every binary of a wheel allows.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "inspect/report/report.hpp"
#include "inspect/tag_files.hpp"

namespace nasm_build::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string c_library = "gnu";
    std::string format = "text";
    bool why = false;
    std::vector<std::string> paths;
};

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json number_or_null(const std::optional<unsigned>& number) {
    return number ? Json(*number) : Json(nullptr);
}

Json to_json(const inspect::BinaryNeeds& binary) {
    Json needs = Json::array();
    for (const inspect::PlatformNeed& need : binary.needs) {
        needs.push_back({{"what", need.what},
                         {"library", text_or_null(need.library)},
                         {"symbol", text_or_null(need.symbol)},
                         {"glibc", number_or_null(need.glibc)}});
    }
    for (const std::string& library : binary.foreign_libraries) {
        needs.push_back({{"what", library}, {"library", nullptr}, {"symbol", nullptr}, {"glibc", nullptr}});
    }
    Json macos = nullptr;
    if (binary.minimum_macos) {
        macos = fmt::format("{}.{}", binary.minimum_macos->first, binary.minimum_macos->second);
    }
    return {{"member", binary.member},
            {"slice", text_or_null(binary.slice)},
            {"format", inspect::name_of(binary.format)},
            {"machine", text_or_null(binary.machine)},
            {"needs", std::move(needs)},
            {"manylinux_glibc", number_or_null(binary.format == inspect::Format::elf ? binary.glibc : std::nullopt)},
            {"musllinux_musl", number_or_null(binary.format == inspect::Format::elf ? binary.musl : std::nullopt)},
            {"macos", std::move(macos)}};
}

void print_json(const inspect::TaggedFiles& found) {
    Json binaries = Json::array();
    for (const inspect::BinaryNeeds& binary : found.binaries) {
        binaries.push_back(to_json(binary));
    }
    const Json document = {{"schema_version", 1},
                           {"tags", found.platform.tags},
                           {"local", found.platform.is_local},
                           {"why", found.platform.why},
                           {"binaries", std::move(binaries)}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

int run(const Options& options) {
    const inspect::TaggedFiles found = inspect::tag_files(
        options.paths, options.c_library == "musl" ? toolchain::CLibrary::musl : toolchain::CLibrary::gnu);
    const bool is_answered = !found.platform.tags.empty();
    if (options.format == "json") {
        print_json(found);
        return is_answered ? 0 : 1;
    }
    for (const std::string& tag : found.platform.tags) {
        fmt::print("{}\n", tag);
    }
    // Without an answer the reasons are the answer.
    if (options.why || !is_answered) {
        for (const std::string& line : found.platform.why) {
            fmt::print("{}\n", inspect::printable(line));
        }
    }
    return is_answered ? 0 : 1;
}

}  // namespace

void add_tag_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("tag", "Print the lowest platform tags that every binary of a wheel allows");
    command->add_option("PATH", options->paths, "A wheel, or the modules and libraries of one")->required();
    command
        ->add_option("--libc", options->c_library,
                     "The C library that it was built with, for a module that could be loaded with either: gnu or musl")
        ->check(CLI::IsMember({"gnu", "musl"}));
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->add_flag("--why", options->why, "Say what asks for the newest thing, or keeps it on its machine");
    command->footer("Exit status: 0 there are tags, 1 its binaries have none together, 2 something could not be read.");
    command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace nasm_build::cli
