#include "toolchain/dependencies.hpp"

#include <algorithm>

namespace nasm_build::toolchain {

namespace {

// Backslash and the end of a line are a blank in Make.
std::string joined_lines(std::string_view output) {
    std::string text;
    for (std::size_t i = 0; i < output.size(); ++i) {
        if (output[i] == '\r') {
            continue;
        }
        const std::size_t behind = i + 1 < output.size() && output[i + 1] == '\r' ? i + 2 : i + 1;
        if (output[i] == '\\' && behind < output.size() && output[behind] == '\n') {
            text += ' ';
            i = behind;
        } else {
            text += output[i];
        }
    }
    return text;
}

// The words of a line: blanks part them, `\ `, `\#` and `$$` are letters.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    const auto finish = [&] {
        if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) {
            words.push_back(word);
        }
        word.clear();
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char next = i + 1 < line.size() ? line[i + 1] : '\0';
        if (line[i] == ' ' || line[i] == '\t') {
            finish();
        } else if ((line[i] == '\\' && (next == ' ' || next == '#')) || (line[i] == '$' && next == '$')) {
            word += next;
            ++i;
        } else {
            word += line[i];
        }
    }
    finish();
    return words;
}

std::string escaped(std::string_view name) {
    std::string text;
    for (const char letter : name) {
        if (letter == ' ' || letter == '#') {
            text += '\\';
        } else if (letter == '$') {
            text += '$';
        }
        text += letter == '\\' ? '/' : letter;
    }
    return text;
}

}  // namespace

std::vector<std::string> rule_inputs(std::string_view output, std::string_view target) {
    const std::string text = joined_lines(output);
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!line.starts_with(target)) {
            continue;
        }
        line.remove_prefix(target.size());
        const std::size_t colon = line.find_first_not_of(' ');
        if (colon != std::string_view::npos && line[colon] == ':') {
            return words_of(line.substr(colon + 1));
        }
    }
    return {};
}

std::string make_rule(const std::string& target, const std::vector<std::string>& inputs) {
    std::string rule = escaped(target) + ":";
    for (const std::string& input : inputs) {
        rule += " \\\n  " + escaped(input);
    }
    return rule + "\n";
}

}  // namespace nasm_build::toolchain
