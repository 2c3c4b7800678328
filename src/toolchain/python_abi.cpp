#include "toolchain/python_abi.hpp"

#include <fmt/core.h>

#include <charconv>

#include "base/error.hpp"
#include "toolchain/platform_name.hpp"

namespace nasm_build::toolchain {

namespace {

constexpr PythonVersion first_free_threaded{3, 13};  // PEP 703
constexpr PythonVersion first_abi3{3, 2};  // PEP 384
constexpr PythonVersion first_abi3t{3, 15};  // PEP 803
constexpr PythonVersion first_without_pymalloc_flag{3, 8};

// `3.13`, with what follows it; nothing when the text does not begin so.
struct VersionText {
    PythonVersion version;
    std::string_view flags;
};

std::optional<VersionText> split_version(std::string_view text) {
    constexpr std::size_t longest = 3;  // digits: nobody types a longer number for a version
    VersionText parts;
    if (!text.starts_with("3.")) {
        return std::nullopt;
    }
    text.remove_prefix(2);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts.version.minor);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || digits > longest) {
        return std::nullopt;
    }
    parts.flags = text.substr(digits);
    return parts;
}

void require_free_threading(PythonVersion version) {
    if (version < first_free_threaded) {
        throw Error(fmt::format("CPython {} has no free-threaded build: they began with 3.13", to_string(version)),
                    fmt::format("give {}, or 3.13t or later", to_string(version)));
    }
}

Error abi3_for_free_threaded(PythonVersion version) {
    return Error(fmt::format("a free-threaded CPython imports no abi3 module, and abi3 was asked for with {}t",
                             to_string(version)),
                 "build a module for that version alone (leave out --abi3, py-limited-api), or promise abi3t: --abi3 "
                 "3.15t");
}

void require_possible(const PythonBuild& build) {
    if (build.abi == Abi::abi3 && build.free_threaded) {
        throw abi3_for_free_threaded(build.version);
    }
    if (build.abi == Abi::abi3t && build.version < first_abi3t) {
        throw Error(fmt::format("abi3t begins with CPython 3.15 (PEP 803), not with {}", to_string(build.version)),
                    "promise 3.15t or later: --abi3 3.15t");
    }
}

std::string flags_of(const PythonBuild& build) {
    std::string flags;
    if (build.free_threaded) {
        flags += 't';
    }
    if (build.debug) {
        flags += 'd';
    }
    return flags;
}

// sys.abiflags: until 3.7 an `m` told of pymalloc, on every system but Windows.
std::string abi_flags(const PythonBuild& build) {
    return flags_of(build) + (build.version < first_without_pymalloc_flag ? "m" : "");
}

std::string digits_of(PythonVersion version) {
    return fmt::format("{}{}", version.major, version.minor);
}

// Windows has no stable-ABI suffix: `.abi3.pyd` is not found there. A debug CPython looks for `_d` names alone.
std::string windows_suffix(const Target& target, const PythonBuild& build) {
    const char* debug = build.debug ? "_d" : "";
    if (build.abi != Abi::version_specific) {
        return fmt::format("{}.pyd", debug);
    }
    return fmt::format("{}.cp{}{}-{}.pyd", debug, digits_of(build.version), build.free_threaded ? "t" : "",
                       wheel_platform(target, build.version));
}

}  // namespace

PythonBuild parse_python(std::string_view text) {
    const std::optional<VersionText> parts = split_version(text);
    PythonBuild build;
    if (parts) {
        std::string_view flags = parts->flags;
        build.version = parts->version;
        build.free_threaded = flags.starts_with('t');
        flags.remove_prefix(build.free_threaded ? 1 : 0);
        build.debug = flags.starts_with('d');
        flags.remove_prefix(build.debug ? 1 : 0);
        if (flags.empty()) {
            if (build.free_threaded) {
                require_free_threading(build.version);
            }
            return build;
        }
    }
    throw Error(fmt::format("`{}` is no CPython version", text),
                "give one like 3.13, or 3.13t for a free-threaded build, 3.13d for a debug build");
}

PythonBuild parse_stable_abi(std::string_view text) {
    const std::optional<VersionText> parts = split_version(text);
    if (!parts || (!parts->flags.empty() && parts->flags != "t")) {
        throw Error(fmt::format("`{}` is no version of the stable ABI", text),
                    "give the oldest CPython that is promised: 3.10 for abi3, 3.15t for abi3t");
    }
    PythonBuild build;
    build.version = parts->version;
    build.abi = parts->flags.empty() ? Abi::abi3 : Abi::abi3t;
    if (build.version < first_abi3) {
        throw Error(fmt::format("the stable ABI begins with CPython 3.2, not with {}", to_string(build.version)),
                    "give the oldest CPython that is promised, like 3.10");
    }
    require_possible(build);
    return build;
}

std::optional<PythonBuild> choose_build(const std::optional<PythonBuild>& python,
                                        const std::optional<PythonBuild>& stable_abi) {
    if (!python || !stable_abi) {
        return stable_abi ? stable_abi : python;
    }
    if (python->free_threaded && stable_abi->abi == Abi::abi3) {
        throw abi3_for_free_threaded(python->version);
    }
    PythonBuild build = *stable_abi;
    build.debug = python->debug;
    build.free_threaded = python->free_threaded;
    if (python->version < stable_abi->version) {
        throw Error(fmt::format("CPython {} cannot import a module that promises {}", to_string(*python),
                                to_string(*stable_abi)),
                    fmt::format("promise {} or an older version, or build with {} or later", to_string(python->version),
                                to_string(stable_abi->version)));
    }
    return build;
}

std::string to_string(PythonVersion version) {
    return fmt::format("{}.{}", version.major, version.minor);
}

std::string to_string(const PythonBuild& build) {
    if (build.abi != Abi::version_specific) {
        return fmt::format("{} from {}", name_of(build.abi), to_string(build.version));
    }
    return to_string(build.version) + flags_of(build);
}

const char* name_of(Abi abi) noexcept {
    switch (abi) {
        case Abi::abi3:
            return "abi3";
        case Abi::abi3t:
            return "abi3t";
        case Abi::version_specific:
            break;
    }
    return "version-specific";
}

std::uint32_t hexadecimal_version(PythonVersion version) noexcept {
    return (version.major << 24U) | (version.minor << 16U);
}

std::string module_suffix(const Target& target, const PythonBuild& build) {
    require_possible(build);
    if (is_windows(target)) {
        return windows_suffix(target, build);
    }
    const std::string_view extension = library_extension(target);
    // The plain name, although 3.15 looks for `.abi3-<triplet>.so` first (cpython#152461): older ones look for this
    // one only, and it is the one that a wheel for both glibc and musl can hold.
    if (build.abi != Abi::version_specific) {
        return fmt::format(".{}{}", name_of(build.abi), extension);
    }
    const std::string triplet = platform_triplet(target, build.version);
    return fmt::format(".cpython-{}{}{}{}{}", digits_of(build.version), abi_flags(build), triplet.empty() ? "" : "-",
                       triplet, extension);
}

WheelTag wheel_tag(const Target& target, const PythonBuild& build) {
    require_possible(build);
    const std::string python = "cp" + digits_of(build.version);
    WheelTag tag{.python = python, .abi = python + abi_flags(build), .platform = wheel_platform(target, build.version)};
    if (build.abi == Abi::abi3) {
        tag.abi = "abi3";
    }
    if (build.abi == Abi::abi3t) {
        tag.abi = "abi3.abi3t";  // PEP 803: such a module serves both kinds of CPython
    }
    return tag;
}

}  // namespace nasm_build::toolchain
