#include "inspect/silence.hpp"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "inspect/read/read.hpp"
#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {

namespace {

constexpr const char* form = "write ignore = [{ rule = \"…\", reason = \"why it is right here\" }]";

std::string trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

// `where` comes before the message: a file and line, or empty.
void require_rule(const std::string& id, const std::string& where) {
    if (find_rule(id) != nullptr) {
        return;
    }
    std::vector<std::string_view> ids;
    std::string list;
    for (const Rule& rule : all_rules()) {
        ids.push_back(rule.id);
        list += list.empty() ? "" : ", ";
        list += rule.id;
    }
    const std::string_view meant = nearest(id, ids);
    throw Error(fmt::format("{}there is no rule named {}", where, id),
                meant.empty() ? "name one of: " + list : fmt::format("did you mean {}?", meant));
}

std::string place_of(const std::filesystem::path& file, const toml::node& node) {
    return fmt::format("{}:{}: ", path_to_utf8(file), node.source().begin.line);
}

void require_keys(const toml::table& table, std::span<const std::string_view> known, const std::string& table_name,
                  const std::filesystem::path& file) {
    for (const auto& [key, value] : table) {
        const std::string_view name = key.str();
        if (std::find(known.begin(), known.end(), name) != known.end()) {
            continue;
        }
        const std::string_view meant = nearest(name, known);
        throw Error(fmt::format("{}unknown key {} in {}", place_of(file, value), name, table_name),
                    meant.empty() ? std::string(form) : fmt::format("did you mean {}?", meant));
    }
}

Suppression read_entry(const toml::node& node, const std::filesystem::path& file) {
    constexpr auto keys = std::to_array<std::string_view>({"rule", "reason"});
    const std::string where = place_of(file, node);
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
        throw Error(where + "an entry of ignore is not a table", form);
    }
    require_keys(*table, keys, "an entry of ignore", file);
    const auto rule = (*table)["rule"].value<std::string>();
    if (!rule) {
        throw Error(where + "an entry of ignore names no rule", form);
    }
    require_rule(*rule, where);
    const std::string reason = trimmed((*table)["reason"].value_or(std::string()));
    if (reason.empty()) {
        throw Error(fmt::format("{}{} is ignored without a reason", where, *rule),
                    fmt::format("write {{ rule = \"{}\", reason = \"why it is right here\" }}", *rule));
    }
    return {*rule, reason};
}

toml::table parse(const std::filesystem::path& file) {
    std::string text;
    try {
        const FileBytes bytes = read_file(file);
        if (!bytes.bytes().empty()) {
            text.assign(reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size());
        }
    } catch (const Error& error) {
        throw Error(fmt::format("{}: {}", path_to_utf8(file), error.what()),
                    "give --config a pyproject.toml that is there");
    }
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& refused) {
        throw Error(
            fmt::format("{}:{}: not TOML: {}", path_to_utf8(file), refused.source().begin.line, refused.description()),
            "correct that line");
    }
}

std::vector<Suppression> read_ignore(const toml::node& ignore, const std::filesystem::path& file) {
    if (!ignore.is_array()) {
        throw Error(place_of(file, ignore) + "ignore is not a list", form);
    }
    std::vector<Suppression> found;
    for (const toml::node& entry : *ignore.as_array()) {
        found.push_back(read_entry(entry, file));
    }
    return found;
}

}  // namespace

Suppression parse_suppression(std::string_view text) {
    const std::size_t equals = text.find('=');
    Suppression found{trimmed(text.substr(0, equals)), {}};
    require_rule(found.rule, "--ignore: ");
    if (equals != std::string_view::npos) {
        found.reason = trimmed(text.substr(equals + 1));
    }
    if (found.reason.empty()) {
        throw Error(fmt::format("--ignore: {} is ignored without a reason", found.rule),
                    fmt::format("write --ignore \"{}=why it is right here\"", found.rule));
    }
    return found;
}

CheckSettings read_check_settings(const std::filesystem::path& pyproject) {
    constexpr auto keys = std::to_array<std::string_view>({"ignore", "baseline"});
    const toml::table document = parse(pyproject);
    const auto section = document.at_path("tool.nasm-build.check");
    if (!section) {
        return {};
    }
    if (!section.is_table()) {
        throw Error(place_of(pyproject, *section.node()) + "[tool.nasm-build.check] is not a table", form);
    }
    const toml::table& table = *section.as_table();
    require_keys(table, keys, "[tool.nasm-build.check]", pyproject);
    CheckSettings settings;
    if (const toml::node* const ignore = table.get("ignore")) {
        settings.suppressions = read_ignore(*ignore, pyproject);
    }
    if (const toml::node* const baseline = table.get("baseline")) {
        const std::string name = baseline->value_or(std::string());
        if (name.empty()) {
            throw Error(place_of(pyproject, *baseline) + "baseline is not the name of a file",
                        "write baseline = \"check-baseline.json\"");
        }
        settings.baseline = pyproject.parent_path() / path_from_utf8(name);
    }
    return settings;
}

void silence(std::span<Finding> findings, std::span<const Suppression> suppressions) {
    for (Finding& finding : findings) {
        const auto found = std::find_if(suppressions.begin(), suppressions.end(),
                                        [&](const Suppression& one) { return one.rule == finding.rule; });
        if (found != suppressions.end()) {
            finding.silenced = found->reason;
        }
    }
}

}  // namespace nasm_build::inspect
