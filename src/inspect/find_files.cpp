#include "inspect/find_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "inspect/read/wheel.hpp"

namespace nasm_build::inspect {

namespace {

namespace fs = std::filesystem;

// Folders with more files than this are a machine's root, not a project's.
constexpr std::size_t most_files = 1'000'000;

bool is_wanted(std::string_view name) {
    return name.ends_with(".whl") || is_module_name(name);
}

bool is_hidden(const fs::path& path) {
    const std::string name = path_to_utf8(path.filename());
    return name.size() > 1 && name.front() == '.' && name != ".." && name != ".dylibs";
}

// A set `[a-z]` or `[!a-z]` at the start of the pattern, and where it ends; npos where it is not closed.
std::size_t end_of_set(std::string_view pattern) {
    const std::size_t first = pattern.size() > 1 && pattern[1] == '!' ? 2 : 1;
    return pattern.find(']', first + 1);  // a `]` at the start is a member
}

bool set_has(std::string_view members, char letter) {
    for (std::size_t at = 0; at < members.size(); ++at) {
        if (at + 2 < members.size() && members[at + 1] == '-') {
            if (members[at] <= letter && letter <= members[at + 2]) {
                return true;
            }
            at += 2;
        } else if (members[at] == letter) {
            return true;
        }
    }
    return false;
}

// One part of a path against one part of a pattern (POSIX 2.13: `*`, `?`, sets). Linear but for the one `*` it goes back to.
bool matches(std::string_view pattern, std::string_view name) {
    std::size_t at = 0;
    std::size_t place = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after_star = 0;
    while (place < name.size()) {
        const std::string_view rest = pattern.substr(at);
        const std::size_t set_end = rest.starts_with('[') ? end_of_set(rest) : std::string_view::npos;
        if (rest.starts_with('*')) {
            star = at++;
            after_star = place;
        } else if (set_end != std::string_view::npos) {
            const bool is_negated = rest[1] == '!';
            const std::string_view members = rest.substr(is_negated ? 2 : 1, set_end - (is_negated ? 2 : 1));
            if (set_has(members, name[place]) != is_negated) {
                at += set_end + 1;
                ++place;
            } else if (star == std::string_view::npos) {
                return false;
            } else {
                at = star + 1;
                place = ++after_star;
            }
        } else if (!rest.empty() && (rest.front() == '?' || rest.front() == name[place])) {
            ++at;
            ++place;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            place = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool is_pattern(std::string_view text) {
    return text.find_first_of("*?[") != std::string_view::npos;
}

/// Gathers files; what one path names twice is kept once.
class Search {
public:
    void add_folder(const fs::path& folder) {
        std::error_code problem;
        fs::recursive_directory_iterator entry(folder, problem);
        const fs::recursive_directory_iterator end;
        for (; !problem && entry != end; entry.increment(problem)) {
            std::error_code ignored;
            if (entry->is_directory(ignored) && is_hidden(entry->path())) {
                entry.disable_recursion_pending();
            } else if (entry->is_regular_file(ignored) && is_wanted(path_to_utf8(entry->path().filename()))) {
                add(entry->path());
            }
        }
        if (problem) {
            throw Error(fmt::format("{}: the folder cannot be read: {}", path_to_utf8(folder), problem.message()));
        }
    }

    // `parts` is the pattern from `first` on; everything before it is `base`.
    void add_matches(const fs::path& base, const std::vector<fs::path>& parts, std::size_t first) {
        std::error_code ignored;
        if (first == parts.size()) {
            if (fs::is_directory(base, ignored)) {
                add_folder(base);
            } else if (fs::is_regular_file(base, ignored)) {
                add(base);
            }
            return;
        }
        const std::string part = path_to_utf8(parts[first]);
        if (part == "**") {
            add_matches(base, parts, first + 1);
        } else if (!is_pattern(part)) {
            add_matches(base / parts[first], parts, first + 1);
            return;
        }
        std::error_code problem;
        fs::directory_iterator entry(base.empty() ? fs::path(".") : base, problem);
        for (const fs::directory_iterator end; !problem && entry != end; entry.increment(problem)) {
            const fs::path name = entry->path().filename();
            const bool is_folder = entry->is_directory(ignored) && !entry->is_symlink(ignored);
            if (part == "**") {
                if (is_folder && !is_hidden(name)) {
                    add_matches(base / name, parts, first);
                }
            } else if (matches(part, path_to_utf8(name)) && (!is_hidden(name) || part.starts_with('.'))) {
                add_matches(base / name, parts, first + 1);
            }
        }
    }

    [[nodiscard]] std::vector<std::string> take() { return {files_.begin(), files_.end()}; }

private:
    void add(const fs::path& path) {
        files_.insert(path_to_utf8(path));
        if (files_.size() > most_files) {
            throw Error(fmt::format("more than {} files were found", most_files), "name a folder with fewer in it");
        }
    }

    std::set<std::string> files_;
};

std::vector<std::string> searched(const std::string& text) {
    const fs::path path = path_from_utf8(text);
    Search search;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        search.add_folder(path);
        std::vector<std::string> files = search.take();
        if (files.empty()) {
            throw Error(fmt::format("{}: there is no module and no wheel in the folder", text),
                        "name a folder that has files ending in .so, .pyd, .dll, .dylib or .whl");
        }
        return files;
    }
    fs::path base = path.root_path();
    std::vector<fs::path> parts;
    for (const fs::path& part : path.relative_path()) {
        parts.push_back(part);
    }
    search.add_matches(base, parts, 0);
    std::vector<std::string> files = search.take();
    if (files.empty()) {
        throw Error(fmt::format("{}: no file matches", text), "correct the pattern, or the folder that it starts from");
    }
    return files;
}

}  // namespace

std::vector<FoundFile> find_files(std::span<const std::string> paths) {
    std::vector<FoundFile> found;
    for (const std::string& path : paths) {
        std::error_code ignored;
        const fs::path as_path = path_from_utf8(path);
        const bool is_folder = fs::is_directory(as_path, ignored);
        if (!is_folder && (fs::exists(as_path, ignored) || !is_pattern(path))) {
            found.push_back({path, false});
            continue;
        }
        for (std::string& file : searched(path)) {
            found.push_back({std::move(file), true});
        }
    }
    return found;
}

}  // namespace nasm_build::inspect
