#include "cli/usage.hpp"

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace nasm_build::cli {

namespace {

// The first word that no command of `app` took: a misspelt command comes first, so only the first is compared.
std::string unknown_word(const CLI::App& app) {
    const std::vector<std::string> remaining = app.remaining();
    return remaining.empty() ? std::string() : remaining.front();
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        names.push_back(command->get_name());
    }
    return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

std::string without_full_stop(std::string text) {
    while (!text.empty() && (text.back() == '.' || text.back() == '\n')) {
        text.pop_back();
    }
    return text;
}

}  // namespace

Error usage_error(const CLI::App& app, const CLI::ParseError& refused) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    const CLI::App& command = chosen.empty() ? app : *chosen.front();
    const std::string help = chosen.empty() ? "nasm-ext --help" : fmt::format("nasm-ext {} --help", command.get_name());

    const std::string word = unknown_word(chosen.empty() ? app : command);
    if (word.empty()) {
        if (chosen.empty() && dynamic_cast<const CLI::RequiredError*>(&refused) != nullptr) {
            return Error("no command was given", help);
        }
        return Error(without_full_stop(refused.what()), help);
    }
    const bool is_option = word.starts_with('-');
    const std::vector<std::string> names = is_option ? option_names(command) : command_names(app);
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    // After a command, a word without a dash is not a misspelt command but one word too many.
    const std::string_view meant = is_option || chosen.empty() ? nearest(word, candidates) : std::string_view();
    const std::string message = is_option        ? fmt::format("unknown option {}", word)
                                : chosen.empty() ? fmt::format("unknown command {}", word)
                                                 : fmt::format("{} takes no argument {}", command.get_name(), word);
    return Error(message, meant.empty() ? help : fmt::format("did you mean {}? {} lists what there is", meant, help));
}

}  // namespace nasm_build::cli
