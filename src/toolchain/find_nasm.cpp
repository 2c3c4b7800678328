#include "toolchain/find_nasm.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/environment.hpp"
#include "toolchain/install_command.hpp"
#include "toolchain/nasm_candidate.hpp"
#include "toolchain/nasm_version.hpp"
#include "toolchain/program.hpp"

namespace nasm_build::toolchain {

namespace {

namespace fs = std::filesystem;

// One search: looks at candidates in turn and keeps what was found out.
class Search {
public:
    explicit Search(std::chrono::milliseconds time_limit) : time_limit_(time_limit) {}

    // Whether this file is the NASM to use.
    bool try_file(const std::string& path, NasmOrigin origin) {
        NasmCandidate candidate = examine_nasm(path, time_limit_);
        any_too_old_ = any_too_old_ || candidate.too_old;
        if (!candidate.reason.empty()) {
            result.rejected.push_back({path, origin, std::move(candidate.reason)});
            return false;
        }
        result.nasm =
            FoundNasm{.path = path, .version = std::move(candidate.version), .origin = origin, .warnings = {}};
        if (!candidate.warning.empty()) {
            result.nasm->warnings.push_back(std::move(candidate.warning));
        }
        return true;
    }

    // Whether one of the folders has it. A file that was reached by another name (/bin is /usr/bin) is looked at once.
    bool try_folders(const std::vector<std::string>& folders, const std::string& name, NasmOrigin origin) {
        for (const std::string& folder : folders) {
            const fs::path file = path_from_utf8(folder) / path_from_utf8(name);
            std::error_code error;
            if (!fs::exists(fs::symlink_status(file, error))) {
                continue;
            }
            const fs::path real = fs::canonical(file, error);
            const bool seen = !error && std::find(seen_.begin(), seen_.end(), real) != seen_.end();
            if (seen) {
                continue;
            }
            seen_.push_back(real);
            if (try_file(absolute_text(file), origin)) {
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] bool any_too_old() const { return any_too_old_; }

    NasmSearch result;

private:
    std::chrono::milliseconds time_limit_;
    std::vector<fs::path> seen_;
    bool any_too_old_ = false;
};

std::string how_to_install(bool any_too_old) {
    std::string command = install_command(Tool::nasm);
    if (!any_too_old) {
        return command;
    }
    return fmt::format(
        "{}; where that gives one older than {}: conda install -c conda-forge nasm, or set NASM to the path "
        "of a newer one",
        command, oldest_nasm_text);
}

// A NASM that somebody named: the only candidate, when there is one.
NasmSearch find_named(const NasmPlaces& places, const std::string& named, NasmOrigin origin) {
    Search search(places.time_limit);
    const bool found = is_bare_name(named) ? search.try_folders(places.search_path, with_program_suffix(named), origin)
                                           : search.try_file(absolute_text(path_from_utf8(named)), origin);
    if (found) {
        return std::move(search.result);
    }
    NasmSearch& result = search.result;
    const std::string_view what = origin == NasmOrigin::setting ? "the project's NASM setting" : "the variable NASM";
    result.error = fmt::format("{} names {}, which cannot be used: {}", what, named, why_not(result.rejected));
    result.fix =
        fmt::format("{} the path of a NASM {} or later, or {}", origin == NasmOrigin::setting ? "give it" : "set it to",
                    oldest_nasm_text, origin == NasmOrigin::setting ? "take the setting out" : "unset NASM");
    return std::move(result);
}

}  // namespace

NasmSearch find_nasm(const NasmPlaces& places) {
    if (places.setting) {
        return find_named(places, *places.setting, NasmOrigin::setting);
    }
    if (places.variable) {
        return find_named(places, *places.variable, NasmOrigin::variable);
    }
    Search search(places.time_limit);
    const std::string name = with_program_suffix("nasm");
    const bool found = search.try_folders(places.search_path, name, NasmOrigin::search_path) ||
                       search.try_folders(places.usual_places, name, NasmOrigin::usual_place) ||
                       (places.carried && search.try_file(*places.carried, NasmOrigin::carried));
    if (!found) {
        search.result.error = search.result.rejected.empty()
                                  ? "NASM was not found"
                                  : fmt::format("no usable NASM was found: {}", list_of(search.result.rejected));
        search.result.fix = how_to_install(search.any_too_old());
    }
    return std::move(search.result);
}

const char* name_of(NasmOrigin origin) noexcept {
    switch (origin) {
        case NasmOrigin::setting:
            return "setting";
        case NasmOrigin::variable:
            return "NASM";
        case NasmOrigin::search_path:
            return "PATH";
        case NasmOrigin::usual_place:
            return "usual place";
        case NasmOrigin::carried:
            break;
    }
    return "carried";
}

}  // namespace nasm_build::toolchain
