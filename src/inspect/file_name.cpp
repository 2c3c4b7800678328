// What the name of a module's file, and the name of a wheel, say that a module must be.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "inspect/expectations.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::Abi;
using toolchain::CLibrary;
using toolchain::PythonBuild;

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool ends_with_any_case(std::string_view text, std::string_view ending) {
    return text.size() >= ending.size() &&
           std::equal(ending.rbegin(), ending.rend(), text.rbegin(), [](char wanted, char have) {
               return wanted == (have >= 'A' && have <= 'Z' ? static_cast<char>(have - 'A' + 'a') : have);
           });
}

// `313`, `313t`, `313td`, `36m`: the first digit is the major version.
std::optional<PythonBuild> parse_digits(std::string_view text) {
    PythonBuild build;
    if (text.size() < 2 || text.front() != '3') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), build.version.minor);
    if (error != std::errc()) {
        return std::nullopt;
    }
    for (const char flag : text.substr(static_cast<std::size_t>(end - text.data()))) {
        build.free_threaded |= flag == 't';
        build.debug |= flag == 'd';
        if (flag != 't' && flag != 'd' && flag != 'm' && flag != 'u') {
            return std::nullopt;
        }
    }
    return build;
}

struct TripletMachine {
    std::string_view triplet;
    std::string_view platform;
};

// Where the machine of a triplet has another word in sysconfig's platform.
constexpr auto renamed_machines = std::to_array<TripletMachine>({
    {"i386", "linux-i686"},
    {"arm", "linux-armv7l"},
    {"powerpc64le", "linux-ppc64le"},
    {"powerpc64", "linux-ppc64"},
    {"powerpc", "linux-ppc"},
});

std::optional<toolchain::Target> target_of_platform(const std::string& platform, CLibrary c_library) {
    try {
        return toolchain::find_target(platform, 64, c_library);
    } catch (const Error&) {
        return std::nullopt;  // a name may say anything
    }
}

// `x86_64-linux-gnu`, `aarch64-linux-musl`, `darwin`.
void read_triplet(Expectations& found, std::string_view triplet) {
    if (triplet == "darwin") {
        found.format = Format::macho;
        return;
    }
    const std::size_t system = triplet.find("-linux-");
    if (system == std::string_view::npos) {
        return;
    }
    const std::string_view machine = triplet.substr(0, system);
    const bool is_musl = triplet.substr(system).starts_with("-linux-musl");
    const auto renamed = std::find_if(renamed_machines.begin(), renamed_machines.end(),
                                      [&](const TripletMachine& one) { return one.triplet == machine; });
    const std::string platform =
        renamed == renamed_machines.end() ? "linux-" + std::string(machine) : std::string(renamed->platform);
    found.format = Format::elf;
    if (const auto target = target_of_platform(platform, is_musl ? CLibrary::musl : CLibrary::gnu)) {
        found.targets.push_back(*target);
    }
}

// What stands between the module's name and the last suffix. Returns false when it is nothing that CPython looks for.
bool read_tag(Expectations& found, std::string_view tag) {
    for (const auto& [word, abi] : {std::pair{"abi3t", Abi::abi3t}, std::pair{"abi3", Abi::abi3}}) {
        std::string_view rest = tag;
        if (take(rest, word) && (rest.empty() || rest.front() == '-')) {
            found.unversioned_abi = abi;
            if (take(rest, "-")) {
                read_triplet(found, rest);
            }
            return true;
        }
    }
    std::string_view rest = tag;
    if (take(rest, "cpython-") || take(rest, "cp")) {
        const std::size_t end = rest.find('-');
        found.python = parse_digits(rest.substr(0, end));
        if (!found.python) {
            return false;
        }
        found.pythons = {*found.python};
        if (end != std::string_view::npos) {
            rest.remove_prefix(end + 1);
            // A wheel's tag on Windows; sysconfig's own word with MSYS2's Pythons (`mingw_x86_64`).
            if (rest.starts_with("win") || rest.starts_with("mingw")) {
                const auto target = rest.starts_with("win")
                                        ? toolchain::find_target_of_tag(rest)
                                        : target_of_platform(std::string(rest), CLibrary::not_applicable);
                if (target) {
                    found.targets.push_back(*target);
                }
            } else {
                read_triplet(found, rest);
            }
        }
        return true;
    }
    if (tag.starts_with("pypy") || tag.starts_with("graalpy")) {
        found.other_implementation = tag.starts_with("pypy") ? "PyPy" : "GraalPy";
        return true;
    }
    return false;
}

bool lies_among_libraries(const std::vector<std::string_view>& folders) {
    return std::any_of(folders.begin(), folders.end(),
                       [](std::string_view folder) { return folder.ends_with(".libs") || folder == ".dylibs"; });
}

bool is_absolute(std::string_view path) {
    return path.starts_with('/') || path.starts_with('\\') || (path.size() > 1 && path[1] == ':');
}

std::string joined(const std::vector<std::string_view>& parts) {
    std::string text;
    for (const std::string_view part : parts) {
        text += text.empty() ? "" : ".";
        text += part;
    }
    return text;
}

// `pkg-1.0.data/platlib/pkg/mod.so` lands at `pkg/mod.so`.
void drop_data_folder(std::vector<std::string_view>& folders) {
    if (folders.size() >= 2 && folders[0].ends_with(".data")) {
        folders.erase(folders.begin(), folders.begin() + 2);
    }
}

void read_module_name(Expectations& found, std::string_view leaf, std::vector<std::string_view> folders,
                      bool folders_are_packages) {
    if (!folders_are_packages && !folders.empty()) {
        folders.erase(folders.begin(), folders.end() - 1);
    }
    found.is_package = leaf == "__init__" && !folders.empty();
    if (found.is_package) {
        found.module_name = joined(folders);
        return;
    }
    if (folders_are_packages) {
        folders.push_back(leaf);
        found.module_name = joined(folders);
    } else {
        found.module_name = leaf;
    }
}

// The name of a file without what the operating system makes of it. Sets what the last suffix says.
std::string_view without_library_suffix(Expectations& found, std::string_view name) {
    for (const std::string_view suffix : {std::string_view(".pyd"), std::string_view(".dll")}) {
        if (ends_with_any_case(name, suffix)) {
            found.format = Format::pe;
            found.has_module_suffix = suffix == ".pyd";
            found.is_extension_module = found.has_module_suffix;
            return name.substr(0, name.size() - suffix.size());
        }
    }
    if (ends_with_any_case(name, ".dylib")) {
        found.format = Format::macho;
        found.is_extension_module = false;
        return name.substr(0, name.size() - std::string_view(".dylib").size());
    }
    if (name.ends_with(".so")) {
        return name.substr(0, name.size() - std::string_view(".so").size());
    }
    const std::size_t versioned = name.find(".so.");
    found.is_extension_module = versioned == std::string_view::npos;
    return name.substr(0, versioned);
}

void read_wheel_python(Expectations& found, std::string_view python_tags, std::string_view abi_tags) {
    const std::vector<std::string_view> abis = split(abi_tags, '.');
    const auto has = [&](std::string_view abi) { return std::find(abis.begin(), abis.end(), abi) != abis.end(); };
    for (std::string_view tag : split(python_tags, '.')) {
        if (tag.starts_with("pp") || tag.starts_with("graalpy")) {
            found.other_implementation = tag.starts_with("pp") ? "PyPy" : "GraalPy";
            continue;
        }
        std::optional<PythonBuild> build;
        if (!take(tag, "cp") || !(build = parse_digits(tag))) {
            continue;
        }
        if (has("abi3") || has("abi3t")) {
            build->abi = has("abi3t") ? Abi::abi3t : Abi::abi3;
            found.pythons.push_back(*build);
            continue;
        }
        const std::size_t before = found.pythons.size();
        for (std::string_view abi : abis) {
            std::optional<PythonBuild> of_abi;
            if (take(abi, "cp") && (of_abi = parse_digits(abi)) && of_abi->version == build->version) {
                found.pythons.push_back(*of_abi);
            }
        }
        if (found.pythons.size() == before) {
            found.pythons.push_back(*build);  // `cp313-none-…`
        }
    }
    const auto oldest =
        std::min_element(found.pythons.begin(), found.pythons.end(),
                         [](const PythonBuild& one, const PythonBuild& other) { return one.version < other.version; });
    if (oldest != found.pythons.end()) {
        std::iter_swap(found.pythons.begin(), oldest);
        found.python = found.pythons.front();
        found.other_implementation.clear();
    }
}

}  // namespace

Expectations expectations_from_path(std::string_view path) {
    Expectations found;
    const bool folders_are_packages = !is_absolute(path);
    std::string with_slashes(path);
    std::replace(with_slashes.begin(), with_slashes.end(), '\\', '/');
    std::vector<std::string_view> folders = split(with_slashes, '/');
    const std::string_view name = folders.back();
    folders.pop_back();
    std::erase_if(folders, [](std::string_view folder) { return folder.empty() || folder == "."; });

    const std::size_t first_dot = name.find('.');
    found.suffix = first_dot == std::string_view::npos ? std::string_view() : name.substr(first_dot);
    std::string_view leaf = without_library_suffix(found, name);
    const std::size_t dot = leaf.find('.');
    if (found.is_extension_module && dot != std::string_view::npos) {
        const std::string_view tag = leaf.substr(dot + 1);
        const bool is_tag = read_tag(found, tag);
        found.has_module_suffix |= is_tag;
        found.is_extension_module = is_tag;
        leaf = leaf.substr(0, dot);
        // A debug CPython of Windows looks for `mod_d.cp313-win_amd64.pyd`.
        if (found.python && found.format == Format::pe && leaf.ends_with("_d")) {
            found.python->debug = true;
            found.pythons = {*found.python};
            leaf.remove_suffix(2);
            found.suffix = "_d" + found.suffix;
        }
    }
    if (lies_among_libraries(folders)) {
        found.is_extension_module = false;
        found.has_module_suffix = false;
    }
    drop_data_folder(folders);
    read_module_name(found, leaf, folders, folders_are_packages);
    return found;
}

Expectations expectations_from_wheel_name(std::string_view file_name) {
    Expectations found;
    const std::size_t folder = file_name.find_last_of("/\\");
    file_name.remove_prefix(folder == std::string_view::npos ? 0 : folder + 1);
    if (!file_name.ends_with(".whl")) {
        return found;
    }
    file_name.remove_suffix(std::string_view(".whl").size());
    const std::vector<std::string_view> parts = split(file_name, '-');
    constexpr std::size_t fewest = 5;  // name, version, then the three tags; a build number may stand between
    if (parts.size() < fewest) {
        return found;
    }
    read_wheel_python(found, parts[parts.size() - 3], parts[parts.size() - 2]);
    for (const std::string_view tag : split(parts.back(), '.')) {
        found.platform_tags.emplace_back(tag);
        const auto target = toolchain::find_target_of_tag(tag);
        if (!target) {
            continue;
        }
        found.promised_elsewhere |= !tag.starts_with("linux_");
        const bool is_there = std::any_of(found.targets.begin(), found.targets.end(), [&](const auto& one) {
            return one.name == target->name && one.c_library == target->c_library;
        });
        if (!is_there) {
            found.targets.push_back(*target);
        }
    }
    return found;
}

}  // namespace nasm_build::inspect
