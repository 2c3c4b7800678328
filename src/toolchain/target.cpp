#include "toolchain/target.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>

#include "base/error.hpp"
#include "base/text.hpp"

namespace nasm_build::toolchain {

namespace {

// What NASM and a linker must be told, for each platform that they can write for.
//
// PIE and NOPIE, LINUX, MACOS and WINDOWS are the defines by which public sources tell the platforms apart
// (tonybaloney/python-assembly-poc): with PIE they call through `wrt ..plt`, which only ELF has.
struct Row {
    std::string_view name;
    std::string_view object_format;
    std::string_view object_suffix;
    std::string_view symbol_prefix;
    std::string_view debug_format;
    std::array<std::string_view, 2> defines;
    LinkStyle link_style;
};
constexpr std::array<Row, 3> rows{{
    {"linux-x86_64", "elf64", ".o", "", "dwarf", {"PIE", "LINUX"}, LinkStyle::elf},
    {"macosx-x86_64", "macho64", ".o", "_", "dwarf", {"NOPIE", "MACOS"}, LinkStyle::macho},
    {"win-amd64", "win64", ".obj", "", "cv8", {"NOPIE", "WINDOWS"}, LinkStyle::coff},
}};

// How the platform words of every system with a CPython begin. The word ends there, or `-`, `_` or a digit follows.
constexpr auto systems = std::to_array<std::string_view>(
    {"linux",  "macosx",     "win",     "mingw", "msys",    "cygwin", "freebsd", "openbsd",
     "netbsd", "dragonfly",  "gnu",     "aix",   "solaris", "sunos",  "illumos", "hp-ux",
     "haiku",  "emscripten", "pyodide", "wasi",  "ios",     "android"});

constexpr std::string_view platform_fix =
    "give the platform as sysconfig.get_platform() prints it: linux-x86_64, macosx-11.0-x86_64, win-amd64";

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

bool is_platform_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || is_digit(letter) || letter == '-' ||
           letter == '_' || letter == '.';
}

bool begins_with_system(std::string_view platform) {
    return std::any_of(systems.begin(), systems.end(), [&](std::string_view system) {
        if (!platform.starts_with(system)) {
            return false;
        }
        const std::string_view rest = platform.substr(system.size());
        return rest.empty() || rest.front() == '-' || rest.front() == '_' || is_digit(rest.front());
    });
}

// Linux and macOS words without a machine, and the wheel tags of these and of Windows, are no platform words.
bool is_platform(std::string_view platform) {
    if (!std::all_of(platform.begin(), platform.end(), is_platform_letter) || !begins_with_system(platform)) {
        return false;
    }
    if (platform.starts_with("linux")) {
        return platform.starts_with("linux-") && platform.size() > std::string_view("linux-").size();
    }
    if (platform.starts_with("macosx")) {
        return parse_macos_platform(platform).has_value();
    }
    if (platform.starts_with("win")) {
        return platform == "win32" ||
               (platform.starts_with("win-") && platform.size() > std::string_view("win-").size());
    }
    return true;
}

Error not_a_platform(std::string_view platform) {
    constexpr auto names = std::to_array<std::string_view>({"linux-x86_64", "macosx-x86_64", "win-amd64"});
    const std::string_view meant = nearest(platform, names);
    return Error(
        fmt::format("`{}` is no platform", platform),
        meant.empty() ? std::string(platform_fix) : fmt::format("did you mean {}? Otherwise {}", meant, platform_fix));
}

// The machine's word becomes the Python's: a 32-bit Python on a 64-bit Linux reports what the kernel is. The names are
// those that packaging gives such a Python's wheels.
std::string name_for_32_bits(std::string_view platform) {
    if (platform == "linux-x86_64") {
        return "linux-i686";
    }
    if (platform == "linux-aarch64") {
        return "linux-armv7l";
    }
    return std::string(platform);
}

bool is_universal2(std::string_view platform) {
    const std::optional<MacosPlatform> macos = parse_macos_platform(platform);
    return macos && macos->architecture == "universal2";
}

std::string target_name(std::string_view platform, unsigned pointer_bits) {
    const std::optional<MacosPlatform> macos = parse_macos_platform(platform);
    std::string name(platform);
    if (macos && macos->architecture == "x86_64") {
        name = "macosx-x86_64";
    }
    if (pointer_bits == 64) {
        return name;
    }
    // On these the word comes from the Python and not from the machine, so it cannot be a 32-bit Python's.
    if (name == "macosx-x86_64" || name == "win-amd64") {
        throw Error(fmt::format("a Python of {} has 64-bit pointers, not 32-bit ones", platform),
                    name == "win-amd64" ? "give --target win32 for a 32-bit Python, or leave out --pointer-bits 32"
                                        : "leave out --pointer-bits 32");
    }
    return name_for_32_bits(name);
}

// Takes a number off the front of the text; nothing when there is none.
std::optional<unsigned> take_number(std::string_view& text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

// Takes a prefix off the front of the text; false when it is not there.
bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

// Takes `_2_17_` off the front of the text.
bool take_version(std::string_view& text) {
    return take(text, "_") && take_number(text) && take(text, "_") && take_number(text) && take(text, "_");
}

// The machine of a Linux tag, with the C library that it promises; an empty machine for any other tag.
std::string_view linux_machine(std::string_view tag, CLibrary& c_library) {
    c_library = CLibrary::gnu;
    if (take(tag, "linux_")) {
        return tag;
    }
    for (const std::string_view legacy : {"manylinux1_", "manylinux2010_", "manylinux2014_"}) {
        if (take(tag, legacy)) {
            return tag;
        }
    }
    if (take(tag, "manylinux")) {
        return take_version(tag) ? tag : std::string_view();
    }
    c_library = CLibrary::musl;
    return take(tag, "musllinux") && take_version(tag) ? tag : std::string_view();
}

}  // namespace

std::optional<MacosPlatform> parse_macos_platform(std::string_view platform) {
    if (!take(platform, "macosx-")) {
        return std::nullopt;
    }
    MacosPlatform parts;
    if (const std::optional<unsigned> major = take_number(platform)) {
        parts.major = *major;
        if (take(platform, ".")) {
            const std::optional<unsigned> minor = take_number(platform);
            if (!minor) {
                return std::nullopt;
            }
            parts.minor = *minor;
        }
        if (!take(platform, "-")) {
            return std::nullopt;
        }
    }
    parts.architecture = platform;
    if (platform.empty() || platform.find('-') != std::string_view::npos) {
        return std::nullopt;
    }
    return parts;
}

Target find_target(std::string_view platform, unsigned pointer_bits, CLibrary c_library) {
    if (pointer_bits != 64 && pointer_bits != 32) {
        throw Error(fmt::format("no CPython has {}-bit pointers", pointer_bits), "give --pointer-bits 64 or 32");
    }
    if (!is_platform(platform)) {
        throw not_a_platform(platform);
    }
    Target target;
    target.platform = platform;
    target.name = target_name(platform, pointer_bits);
    if (platform.starts_with("linux-")) {
        target.c_library = c_library == CLibrary::not_applicable ? CLibrary::gnu : c_library;
    }
    const bool is_fat = is_universal2(platform);
    const std::string_view row_name = is_fat ? std::string_view("macosx-x86_64") : target.name;
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.name == row_name; });
    if (row != rows.end()) {
        target.assembles = true;
        target.fallback_half = is_fat ? "arm64" : "";
        target.object_format = row->object_format;
        target.object_suffix = row->object_suffix;
        target.symbol_prefix = row->symbol_prefix;
        target.debug_format = row->debug_format;
        target.defines.assign(row->defines.begin(), row->defines.end());
        target.link_style = row->link_style;
    }
    return target;
}

std::optional<Target> find_target_of_tag(std::string_view platform_tag) {
    if (platform_tag == "win32" || platform_tag == "any") {
        return platform_tag == "win32" ? std::optional(find_target("win32")) : std::nullopt;
    }
    std::string platform;
    CLibrary c_library = CLibrary::not_applicable;
    std::string_view rest = platform_tag;
    if (take(rest, "win_")) {
        platform = fmt::format("win-{}", rest);
    } else if (take(rest, "macosx_")) {
        const std::optional<unsigned> major = take_number(rest);
        const bool separated = take(rest, "_");
        const std::optional<unsigned> minor = take_number(rest);
        if (!major || !separated || !minor || !take(rest, "_")) {
            return std::nullopt;
        }
        platform = fmt::format("macosx-{}.{}-{}", *major, *minor, rest);
    } else if (const std::string_view machine = linux_machine(platform_tag, c_library); !machine.empty()) {
        platform = fmt::format("linux-{}", machine);
    } else {
        platform = platform_tag;
        std::replace(platform.begin(), platform.end(), '_', '-');
    }
    if (!is_platform(platform)) {
        return std::nullopt;
    }
    return find_target(platform, 64, c_library);
}

const char* name_of(LinkStyle style) noexcept {
    switch (style) {
        case LinkStyle::elf:
            return "elf";
        case LinkStyle::macho:
            return "macho";
        case LinkStyle::coff:
            return "coff";
        case LinkStyle::none:
            break;
    }
    return "none";
}

}  // namespace nasm_build::toolchain
