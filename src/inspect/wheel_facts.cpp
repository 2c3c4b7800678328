#include "inspect/wheel_facts.hpp"

#include <algorithm>

namespace nasm_build::inspect {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(separator, start), text.size());
        parts.emplace_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string lower(std::string_view text) {
    std::string copy(text);
    std::transform(copy.begin(), copy.end(), copy.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return copy;
}

// Calls `take` with each `Key: value` of the headers; the text after the first empty line is a description.
template <typename Take>
void for_each_header(std::string_view text, Take take) {
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = text.substr(start, end - start);
        if (trimmed(line).empty()) {
            return;
        }
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && line.front() != ' ' && line.front() != '\t') {
            take(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
        }
        start = end + 1;
    }
}

// The first field of each row of a CSV file: a name, quoted where it has a comma in it.
std::set<std::string, std::less<>> first_fields(std::string_view text) {
    std::set<std::string, std::less<>> names;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        std::string_view line = trimmed(text.substr(start, end - start));
        std::string name;
        if (line.starts_with('"')) {
            for (line.remove_prefix(1); !line.empty(); line.remove_prefix(1)) {
                if (line.front() == '"' && !line.substr(1).starts_with('"')) {
                    break;
                }
                line.remove_prefix(line.front() == '"' ? 1 : 0);
                name += line.front();
            }
        } else {
            name = line.substr(0, line.find(','));
        }
        names.insert(std::move(name));
        start = end + 1;
    }
    return names;
}

void read_name(WheelFacts& facts, std::string_view path) {
    const std::size_t folder = path.find_last_of("/\\");
    std::string_view name = folder == std::string_view::npos ? path : path.substr(folder + 1);
    constexpr std::string_view ending = ".whl";
    if (!name.ends_with(ending)) {
        return;
    }
    name.remove_suffix(ending.size());
    const std::vector<std::string> parts = split(name, '-');
    constexpr std::size_t fewest = 5;
    if (parts.size() < fewest) {
        return;
    }
    facts.platform_tags = split(parts.back(), '.');
    facts.abi_tags = split(parts[parts.size() - 2], '.');
    facts.python_tags = split(parts[parts.size() - 3], '.');
}

}  // namespace

WheelFacts wheel_facts(std::string_view path, std::vector<std::string> entries, const WheelTexts& texts) {
    WheelFacts facts;
    read_name(facts, path);
    facts.entries = std::move(entries);
    facts.has_statement = texts.statement.has_value();
    for_each_header(texts.statement.value_or(""), [&](const std::string& key, std::string_view value) {
        if (key == "tag") {
            facts.tag_lines.emplace_back(value);
        } else if (key == "root-is-purelib") {
            facts.root_is_purelib = lower(value) == "true";
        }
    });
    for_each_header(texts.metadata.value_or(""), [&](const std::string& key, std::string_view) {
        facts.has_dependencies |= key == "requires-dist";
    });
    facts.has_record = texts.record.has_value();
    facts.recorded = first_fields(texts.record.value_or(""));
    return facts;
}

}  // namespace nasm_build::inspect
