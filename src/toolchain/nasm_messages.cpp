#include "toolchain/nasm_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace nasm_build::toolchain {

namespace {

constexpr auto severities = std::to_array<std::string_view>({"error", "warning", "fatal", "panic"});

// What stands between two quotation marks of NASM's, which begin with ` or '.
std::string quoted_behind(std::string_view text, std::string_view words) {
    const std::size_t at = text.find(words);
    if (at == std::string_view::npos) {
        return {};
    }
    text = text.substr(at + words.size());
    const std::size_t begin = text.find_first_of("`'");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('\'', begin + 1);
    return end == std::string_view::npos ? std::string() : std::string(text.substr(begin + 1, end - begin - 1));
}

std::string without_separator(std::string folder) {
    while (!folder.empty() && (folder.back() == '/' || folder.back() == '\\')) {
        folder.pop_back();
    }
    return folder.empty() ? "." : folder;
}

std::string fix_of_missing_include(const std::string& name, const std::vector<std::string>& searched) {
    std::vector<std::string> folders{"."};
    for (const std::string& folder : searched) {
        const std::string bare = without_separator(folder);
        if (std::find(folders.begin(), folders.end(), bare) == folders.end()) {
            folders.push_back(bare);
        }
    }
    return fmt::format("put '{}' into one of: {}; or add its folder to the include folders", name,
                       fmt::join(folders, ", "));
}

// `PyTypeObject.tp_name`, `PyModuleDef_size`: what the include library defines where the ABI shows it.
bool is_layout(std::string_view name) {
    return name.starts_with("Py") && (name.find('.') != std::string_view::npos || name.ends_with("_size"));
}

std::string fix_of_undefined(const std::string& name) {
    if (is_layout(name)) {
        return "the stable ABI hides this field, or this CPython has none of that name: call a function of the C API, or "
               "leave the stable ABI out";
    }
    if (name.ends_with(".end_function") || name.ends_with(".py_module_is_missing_after_this_table")) {
        return "end the last function with end_function, and tables with py_module";
    }
    if (name.find('.') != std::string::npos) {
        return "define the local label, or spell it as it is defined below its own global label: " + name;
    }
    return fmt::format("define {0}, or declare it with 'extern {0}' when another file or Python has it", name);
}

std::string fix_of(std::string_view text, const std::vector<std::string>& searched) {
    for (const std::string_view words : {"unable to open include file", "unable to open incbin file",
                                         "`incbin': unable to open file", "`incbin': unable to get length of file"}) {
        if (const std::string name = quoted_behind(text, words); !name.empty()) {
            return fix_of_missing_include(name, searched);
        }
    }
    if (text.find("No space left on device") != std::string_view::npos) {
        return "free some space, or build elsewhere";
    }
    const bool is_undefined =
        text.find("not defined") != std::string_view::npos || text.find("undefined") != std::string_view::npos;
    if (const std::string name = is_undefined ? quoted_behind(text, "symbol") : ""; !name.empty()) {
        return fix_of_undefined(name);
    }
    return {};
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() < 10 &&
           std::all_of(text.begin(), text.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
}

struct Split {
    std::string_view place;
    std::string_view severity;
    std::string_view text;
};

// At the first `: severity: ` of the line.
std::optional<Split> split(std::string_view line) {
    std::optional<Split> found;
    for (const std::string_view severity : severities) {
        const std::string middle = fmt::format(": {}: ", severity);
        const std::size_t at = line.find(middle);
        if (at != std::string_view::npos && (!found || at < found->place.size())) {
            found = Split{line.substr(0, at), severity, line.substr(at + middle.size())};
        }
    }
    return found;
}

std::optional<NasmProblem> problem_in(std::string_view line, const std::string& source,
                                      const std::vector<std::string>& searched) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
        line.remove_suffix(1);
    }
    const auto parts = split(line);
    if (!parts || parts->place.empty()) {
        return std::nullopt;
    }
    NasmProblem problem;
    problem.is_error = parts->severity != "warning";
    problem.text = parts->text;
    problem.fix = fix_of(parts->text, searched);
    std::string_view place = parts->place;
    if (const std::size_t colon = place.rfind(':'); colon != std::string_view::npos) {
        const std::string_view number = place.substr(colon + 1);
        if (is_number(number)) {
            problem.line = std::stoull(std::string(number));
            place = place.substr(0, colon);
        }
    }
    problem.file = place == "nasm" || place == "nasm.exe" ? source : std::string(place);
    return problem;
}

}  // namespace

std::vector<NasmProblem> problems_in(std::string_view output, const std::string& source,
                                     const std::vector<std::string>& searched) {
    std::vector<NasmProblem> problems;
    while (!output.empty()) {
        const std::size_t end = std::min(output.find('\n'), output.size());
        const auto problem = problem_in(output.substr(0, end), source, searched);
        if (problem && std::find(problems.begin(), problems.end(), *problem) == problems.end()) {
            problems.push_back(*problem);
        }
        output.remove_prefix(std::min(end + 1, output.size()));
    }
    return problems;
}

std::string rendered(const NasmProblem& problem) {
    const std::string line = problem.line == 0 ? std::string() : fmt::format(":{}", problem.line);
    const std::string fix = problem.fix.empty() ? std::string() : "\n  fix: " + problem.fix;
    return fmt::format("{}{}: {}: {} [nasm]{}", problem.file, line, problem.is_error ? "error" : "warning",
                       problem.text, fix);
}

}  // namespace nasm_build::toolchain
