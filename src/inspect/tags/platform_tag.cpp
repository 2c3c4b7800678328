#include "inspect/tags/platform_tag.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "inspect/tags/policies.hpp"

namespace nasm_build::inspect {

namespace {

// What uname and Python call the machines that wheels are made for.
constexpr auto linux_machines = std::to_array<std::string_view>(
    {"x86_64",  "i386",        "i486", "i586",   "i686",    "aarch64", "armv5tel", "armv6l",
     "armv7l",  "armv8l",      "ppc",  "ppc64",  "ppc64le", "s390",    "s390x",    "riscv32",
     "riscv64", "loongarch64", "mips", "mips64", "sparc64", "ia64",    "alpha"});

// PEP 425's words are those of distutils; `packaging` makes these tags on macOS.
constexpr auto macos_machines = std::to_array<std::string_view>(
    {"x86_64", "arm64", "universal2", "universal", "intel", "fat", "fat3", "fat32", "fat64", "i386", "ppc", "ppc64"});

constexpr auto windows_tags =
    std::to_array<std::string_view>({"win32", "win_amd64", "win_arm64", "win_arm32", "win_ia64"});

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool take_number(std::string_view& text, unsigned& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

// Takes `_2_17_` off the front of the text.
bool take_version(std::string_view& text, PlatformTag& found) {
    return take(text, "_") && take_number(text, found.major) && take(text, "_") && take_number(text, found.minor) &&
           take(text, "_") && !text.empty();
}

bool read_versioned(std::string_view rest, PlatformTag& found, PlatformKind kind) {
    if (!take_version(rest, found)) {
        return false;
    }
    found.kind = kind;
    found.machine = rest;
    return true;
}

bool read_older_manylinux(std::string_view tag, PlatformTag& found) {
    for (const ManylinuxPolicy& policy : manylinux_policies()) {
        std::string_view rest = tag;
        if (!policy.older_name.empty() && take(rest, policy.older_name) && take(rest, "_") && !rest.empty()) {
            found = {PlatformKind::manylinux, 2, policy.glibc, std::string(rest)};
            return true;
        }
    }
    return false;
}

template <std::size_t count>
bool is_one_of(const std::array<std::string_view, count>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// `x86_64_v3`, `x86_64v2`, `aarch64_sve`: a known word with more behind it.
bool is_invented(std::string_view machine) {
    if (is_one_of(linux_machines, machine)) {
        return false;
    }
    return std::any_of(linux_machines.begin(), linux_machines.end(), [&](std::string_view known) {
        return machine.starts_with(known) && machine.size() > known.size() &&
               (machine[known.size()] == '_' || machine[known.size()] == 'v');
    });
}

}  // namespace

PlatformTag parse_platform_tag(std::string_view tag) {
    PlatformTag found;
    std::string_view rest = tag;
    if (tag == "any") {
        found.kind = PlatformKind::any;
    } else if (take(rest, "linux_")) {
        found = {PlatformKind::linux_local, 0, 0, std::string(rest)};
    } else if (take(rest, "manylinux")) {
        if (!read_older_manylinux(tag, found)) {
            read_versioned(rest, found, PlatformKind::manylinux);
        }
    } else if (take(rest, "musllinux")) {
        read_versioned(rest, found, PlatformKind::musllinux);
    } else if (take(rest, "macosx")) {
        read_versioned(rest, found, PlatformKind::macos);
    } else if (tag.starts_with("win")) {
        found = {PlatformKind::windows, 0, 0, std::string(tag)};
    }
    return found;
}

bool is_known_to_installers(std::string_view tag) {
    const PlatformTag parts = parse_platform_tag(tag);
    switch (parts.kind) {
        case PlatformKind::any:
            return true;
        case PlatformKind::linux_local:
        case PlatformKind::musllinux:
            return !is_invented(parts.machine);
        case PlatformKind::manylinux:
            return parts.major == 2 && !is_invented(parts.machine);
        case PlatformKind::macos:
            return is_one_of(macos_machines, parts.machine);
        case PlatformKind::windows:
            return is_one_of(windows_tags, parts.machine);
        case PlatformKind::other:
            break;
    }
    // Tags of other systems (freebsd_14_amd64, ios_13_0_arm64_iphoneos) are believed; these have a form that is known.
    return !tag.starts_with("linux") && !tag.starts_with("manylinux") && !tag.starts_with("musllinux") &&
           !tag.starts_with("macosx");
}

}  // namespace nasm_build::inspect
