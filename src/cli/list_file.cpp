#include "cli/list_file.hpp"

#include <fmt/core.h>

#include <fstream>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace nasm_build::cli {

std::vector<std::string> lines_of(const std::string& file) {
    std::ifstream stream(path_from_utf8(file));
    if (!stream) {
        throw Error(fmt::format("{}: cannot be read", file), "configure the build again");
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        if (!line.empty()) {
            lines.push_back(line);
        }
    }
    return lines;
}

std::vector<std::string> with_lists(const std::vector<std::string>& words) {
    std::vector<std::string> all;
    for (const std::string& word : words) {
        if (!word.starts_with('@')) {
            all.push_back(word);
            continue;
        }
        const std::vector<std::string> lines = lines_of(word.substr(1));
        all.insert(all.end(), lines.begin(), lines.end());
    }
    return all;
}

}  // namespace nasm_build::cli
