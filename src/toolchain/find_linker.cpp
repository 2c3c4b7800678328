#include "toolchain/find_linker.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
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

constexpr std::string_view name_for(LinkerKind kind) {
    return kind == LinkerKind::lld_link ? "lld-link" : "ld64.lld";
}

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

Candidate passed_over(std::string reason) {
    return {.version = {}, .reason = std::move(reason)};
}

std::string failure(std::string_view question, const ProgramAnswer& answer) {
    return fmt::format("`{}` ended with exit status {} and printed {}", question, answer.status, said(answer.output));
}

// lld is one program for every format and takes the format from the name that it is started with. Only the linker for
// ELF says which it is; that one of the others is meant for another platform, its name alone tells.
bool is_of_another_format(LinkerKind kind, const std::string& path, std::string_view output) {
    const std::string name = path_to_utf8(path_from_utf8(path).filename());
    const std::string_view other = name_for(kind == LinkerKind::lld_link ? LinkerKind::ld64 : LinkerKind::lld_link);
    return output.find("compatible with GNU linkers") != std::string_view::npos || name.starts_with(other);
}

// `words` start a linker of LLVM's; `path` is the file among them.
Candidate examine(LinkerKind kind, const std::string& path, const std::vector<std::string>& words,
                  std::chrono::milliseconds time_limit) {
    constexpr const char* question = "--version";
    if (std::string reason = obstacle_to_running(path); !reason.empty()) {
        return passed_over(std::move(reason));
    }
    const ProgramAnswer answer = ask_program(words, question, time_limit);
    if (!answer.reason.empty()) {
        return passed_over(answer.reason);
    }
    if (answer.status != 0) {
        return passed_over(failure(question, answer));
    }
    const std::optional<LinkerVersion> version = lld_version(answer.output);
    if (!version) {
        return passed_over(fmt::format("it is not LLVM's lld: `{}` printed {}", question, said(answer.output)));
    }
    if (is_of_another_format(kind, path, answer.output)) {
        return passed_over(fmt::format("it is lld for another platform: {} is wanted", name_for(kind)));
    }
    if (version->major < oldest_lld) {
        return passed_over(fmt::format("it is lld {}, and {} is the oldest that is used", version->text, oldest_lld));
    }
    return {.version = version->text, .reason = {}};
}

// zig links for Mach-O by itself, so the version that counts is its own.
Candidate examine_zig_cc(const std::string& zig, std::chrono::milliseconds time_limit) {
    constexpr const char* question = "version";
    if (std::string reason = obstacle_to_running(zig); !reason.empty()) {
        return passed_over(std::move(reason));
    }
    const ProgramAnswer answer = ask_program({zig}, question, time_limit);
    if (!answer.reason.empty()) {
        return passed_over(answer.reason);
    }
    if (answer.status != 0) {
        return passed_over(failure(question, answer));
    }
    std::string version = first_line(answer.output);
    if (version.find_first_of("0123456789") != 0) {
        return passed_over(fmt::format("it is not zig: `{}` printed {}", question, said(answer.output)));
    }
    return {.version = std::move(version), .reason = {}};
}

class Search {
public:
    Search(LinkerKind kind, const LinkerPlaces& places) : kind_(kind), places_(places) {}

    bool try_file(const std::string& path, LinkerOrigin origin) {
        return settle(path, {{path}, kind_, {}, origin}, examine(kind_, path, {path}, places_.time_limit));
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

    // lld goes by the name that it is started with, so a link is not resolved, though one among the folders is.
    bool try_name(const std::vector<std::string>& folders, const std::string& name, LinkerOrigin origin) {
        return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
            const fs::path file = path_from_utf8(folder) / path_from_utf8(with_program_suffix(name));
            std::error_code error;
            if (!fs::exists(fs::symlink_status(file, error))) {
                return false;
            }
            const std::string path = absolute_text(file);
            const auto [place, is_new] =
                seen_.insert(path_to_utf8(fs::weakly_canonical(file.parent_path(), error) / file.filename()));
            return is_new && try_file(path, origin);
        });
    }

    bool try_zig(const std::string& zig) {
        if (kind_ == LinkerKind::lld_link) {
            const std::vector<std::string> words{zig, "lld-link"};
            return settle(zig, {words, kind_, {}, LinkerOrigin::ziglang},
                          examine(kind_, zig, words, places_.time_limit));
        }
        return settle(zig, {{zig, "cc"}, LinkerKind::zig_cc, {}, LinkerOrigin::ziglang},
                      examine_zig_cc(zig, places_.time_limit));
    }

    LinkerSearch result;

private:
    bool settle(const std::string& path, FoundLinker linker, Candidate candidate) {
        if (!candidate.reason.empty()) {
            result.rejected.push_back({path, linker.origin, std::move(candidate.reason)});
            return false;
        }
        linker.version = std::move(candidate.version);
        result.linker = std::move(linker);
        return true;
    }

    LinkerKind kind_;
    const LinkerPlaces& places_;
    std::set<std::string> seen_;
};

LinkerSearch find_named(LinkerKind kind, const LinkerPlaces& places, const std::string& named, LinkerOrigin origin) {
    Search search(kind, places);
    const bool found = is_bare_name(named) ? search.try_name(places.search_path, named, origin)
                                           : search.try_file(absolute_text(path_from_utf8(named)), origin);
    LinkerSearch& result = search.result;
    if (!found) {
        const bool is_setting = origin == LinkerOrigin::setting;
        result.error = fmt::format("{} names {}, which cannot be used: {}",
                                   is_setting ? "the setting linker" : "the variable NASM_BUILD_LINKER", named,
                                   why_not(result.rejected));
        result.fix = fmt::format("give the path of {} {} or later, or {}", name_for(kind), oldest_lld,
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
    const std::string name(name_for(kind));
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
