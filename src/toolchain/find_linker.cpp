#include "toolchain/find_linker.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "toolchain/install_command.hpp"
#include "toolchain/program.hpp"

namespace nasm_build::toolchain {

namespace {

namespace fs = std::filesystem;

// 14 is the oldest that the modules were tested with; ld64.lld was rewritten for 13 and lacked much before.
constexpr unsigned oldest_lld = 14;
constexpr unsigned newest_suffix = 30;

#ifdef _WIN32
constexpr std::string_view program_suffix = ".exe";
constexpr std::string_view separators = "/\\";
#else
constexpr std::string_view program_suffix = "";
constexpr std::string_view separators = "/";
#endif

// What a version looks like to the one who asked: its text and its first number.
struct LinkerVersion {
    std::string text;
    unsigned major = 0;
};

// `LLD 14.0.6`, `Debian LLD 19.1.7 (compatible with GNU linkers)`.
std::optional<LinkerVersion> lld_version(std::string_view output) {
    constexpr std::string_view word = "LLD ";
    const std::size_t start = output.find(word);
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    output.remove_prefix(start + word.size());
    LinkerVersion version;
    version.text = output.substr(0, output.find_first_not_of("0123456789."));
    const auto [end, error] =
        std::from_chars(version.text.data(), version.text.data() + version.text.size(), version.major);
    return error == std::errc() ? std::optional(version) : std::nullopt;
}

struct Candidate {
    std::string version;
    std::string reason;
};

Candidate examine(const std::string& path, const std::vector<std::string>& words,
                  std::chrono::milliseconds time_limit) {
    if (std::string reason = obstacle_to_running(path); !reason.empty()) {
        return {.version = {}, .reason = std::move(reason)};
    }
    ProgramAnswer answer = ask_program(words, "--version", time_limit);
    if (!answer.reason.empty()) {
        return {.version = {}, .reason = std::move(answer.reason)};
    }
    const std::optional<LinkerVersion> version = lld_version(answer.output);
    if (answer.status != 0 || !version) {
        return {.version = {},
                .reason = fmt::format("it is not LLVM's lld: `--version` printed {}", said(answer.output))};
    }
    if (version->major < oldest_lld) {
        return {.version = {},
                .reason = fmt::format("it is lld {}, and {} is the oldest that is used", version->text, oldest_lld)};
    }
    return {.version = version->text, .reason = {}};
}

class Search {
public:
    Search(LinkerKind kind, const LinkerPlaces& places) : kind_(kind), places_(places) {}

    bool try_file(const std::string& path, LinkerOrigin origin) {
        Candidate candidate = examine(path, {path}, places_.time_limit);
        if (!candidate.reason.empty()) {
            result.rejected.push_back({path, origin, std::move(candidate.reason)});
            return false;
        }
        result.linker =
            FoundLinker{.words = {path}, .kind = kind_, .version = std::move(candidate.version), .origin = origin};
        return true;
    }

    // Every folder for the plain name before any for a versioned one: the plain one is what the machine's owner chose.
    bool try_folders(const std::vector<std::string>& folders, const std::string& name, LinkerOrigin origin) {
        if (try_name(folders, name, origin)) {
            return true;
        }
        for (unsigned version = newest_suffix; version >= oldest_lld; --version) {
            if (try_name(folders, fmt::format("{}-{}", name, version), origin)) {
                return true;
            }
        }
        return false;
    }

    bool try_name(const std::vector<std::string>& folders, const std::string& name, LinkerOrigin origin) {
        return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
            const fs::path file = path_from_utf8(folder) / path_from_utf8(with_suffix(name));
            std::error_code error;
            if (!fs::exists(fs::symlink_status(file, error))) {
                return false;
            }
            const std::string path = absolute_text(file);
            const bool seen = std::find(seen_.begin(), seen_.end(), path) != seen_.end();
            seen_.push_back(path);
            return !seen && try_file(path, origin);
        });
    }

    // lld goes by the name that it is started with, so a link is not resolved.
    static std::string absolute_text(const fs::path& path) {
        std::error_code error;
        const fs::path whole = fs::absolute(path, error);
        return path_to_utf8((error ? path : whole).lexically_normal());
    }

    bool try_zig(const std::string& zig) {
        const bool is_coff = kind_ == LinkerKind::lld_link;
        ProgramAnswer answer = ask_program({zig}, "version", places_.time_limit);
        std::string reason = obstacle_to_running(zig);
        if (reason.empty()) {
            reason = std::move(answer.reason);
        }
        if (reason.empty() && answer.status != 0) {
            reason = fmt::format("`version` printed {}", said(answer.output));
        }
        if (!reason.empty()) {
            result.rejected.push_back({zig, LinkerOrigin::ziglang, std::move(reason)});
            return false;
        }
        result.linker = FoundLinker{.words = {zig, is_coff ? "lld-link" : "cc"},
                                    .kind = is_coff ? LinkerKind::lld_link : LinkerKind::zig_cc,
                                    .version = first_line(answer.output),
                                    .origin = LinkerOrigin::ziglang};
        return true;
    }

    LinkerSearch result;

private:
    static std::string with_suffix(std::string name) {
        if (!program_suffix.empty() && !name.ends_with(program_suffix)) {
            name += program_suffix;
        }
        return name;
    }

    LinkerKind kind_;
    const LinkerPlaces& places_;
    std::vector<std::string> seen_;
};

std::string list_of(const std::vector<RejectedLinker>& rejected) {
    std::string text;
    for (const RejectedLinker& one : rejected) {
        text += fmt::format("{}{} ({}): {}", text.empty() ? "" : "; ", one.path, name_of(one.origin), one.reason);
    }
    return text;
}

LinkerSearch find_named(LinkerKind kind, const LinkerPlaces& places, const std::string& named, LinkerOrigin origin) {
    Search search(kind, places);
    const bool is_name = named.find_first_of(separators) == std::string::npos;
    const bool found = is_name ? search.try_name(places.search_path, named, origin)
                               : search.try_file(Search::absolute_text(path_from_utf8(named)), origin);
    LinkerSearch& result = search.result;
    if (!found) {
        const bool is_setting = origin == LinkerOrigin::setting;
        const std::string why = result.rejected.empty()       ? "no folder of PATH has it"
                                : result.rejected.size() == 1 ? result.rejected.front().reason
                                                              : list_of(result.rejected);
        result.error = fmt::format("{} names {}, which cannot be used: {}",
                                   is_setting ? "the setting linker" : "the variable NASM_BUILD_LINKER", named, why);
        result.fix = fmt::format("give the path of {} {} or later, or {}",
                                 kind == LinkerKind::lld_link ? "lld-link" : "ld64.lld", oldest_lld,
                                 is_setting ? "take the setting out" : "unset NASM_BUILD_LINKER");
    }
    return std::move(result);
}

}  // namespace

LinkerSearch find_linker(const Target& target, const LinkerPlaces& places) {
    if (target.link_style != LinkStyle::coff && target.link_style != LinkStyle::macho) {
        throw Error(fmt::format("modules for {} are linked by the compiler of that platform", target.name),
                    "name a target of Windows or macOS: --target win-amd64, --target macosx-11.0-x86_64");
    }
    const LinkerKind kind = target.link_style == LinkStyle::coff ? LinkerKind::lld_link : LinkerKind::ld64;
    if (places.setting) {
        return find_named(kind, places, *places.setting, LinkerOrigin::setting);
    }
    if (places.variable) {
        return find_named(kind, places, *places.variable, LinkerOrigin::variable);
    }
    const std::string name = kind == LinkerKind::lld_link ? "lld-link" : "ld64.lld";
    Search search(kind, places);
    const bool found = search.try_folders(places.search_path, name, LinkerOrigin::search_path) ||
                       search.try_folders(places.usual_places, name, LinkerOrigin::usual_place) ||
                       (places.zig && search.try_zig(*places.zig));
    if (!found) {
        search.result.error =
            search.result.rejected.empty()
                ? fmt::format("no linker for {} was found: {} is not there", target.name, name)
                : fmt::format("no usable linker for {} was found: {}", target.name, list_of(search.result.rejected));
        search.result.fix = fmt::format("{}; or: pip install ziglang", install_command(Tool::lld));
    }
    return std::move(search.result);
}

const char* name_of(LinkerOrigin origin) noexcept {
    switch (origin) {
        case LinkerOrigin::setting:
            return "setting";
        case LinkerOrigin::variable:
            return "NASM_BUILD_LINKER";
        case LinkerOrigin::search_path:
            return "PATH";
        case LinkerOrigin::usual_place:
            return "usual place";
        case LinkerOrigin::ziglang:
            break;
    }
    return "ziglang";
}

const char* name_of(LinkerKind kind) noexcept {
    switch (kind) {
        case LinkerKind::lld_link:
            return "lld-link";
        case LinkerKind::ld64:
            return "ld64";
        case LinkerKind::zig_cc:
            break;
    }
    return "zig-cc";
}

}  // namespace nasm_build::toolchain
