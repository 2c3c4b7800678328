#include "toolchain/platform_name.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace nasm_build::toolchain {

namespace {

struct Renamed {
    std::string_view word;
    std::string_view triplet;
};

// uname's machines whose triplet has another name; `hf` stands for the C library with hardware floating point.
constexpr auto linux_machines = std::to_array<Renamed>({
    {"i386", "i386-linux-{}"},
    {"i486", "i386-linux-{}"},
    {"i586", "i386-linux-{}"},
    {"i686", "i386-linux-{}"},
    {"ppc", "powerpc-linux-{}"},
    {"ppc64", "powerpc64-linux-{}"},
    {"ppc64le", "powerpc64le-linux-{}"},
    {"armv6l", "arm-linux-{}eabihf"},
    {"armv7l", "arm-linux-{}eabihf"},
    {"armv8l", "arm-linux-{}eabihf"},
    {"armv5tel", "arm-linux-{}eabi"},
    {"armv5tejl", "arm-linux-{}eabi"},
    {"parisc", "hppa-linux-{}"},
    {"parisc64", "hppa-linux-{}"},
    {"sh4a", "sh4-linux-{}"},
});

// Android's words (PEP 738) name its ABIs.
constexpr auto android_machines = std::to_array<Renamed>({
    {"x86_64", "x86_64-linux-android"},
    {"x86", "i686-linux-android"},
    {"arm64_v8a", "aarch64-linux-android"},
    {"armeabi_v7a", "arm-linux-androideabi"},
});

template <std::size_t count>
std::string_view triplet_of(const std::array<Renamed, count>& table, std::string_view word) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Renamed& row) { return row.word == word; });
    return found == table.end() ? std::string_view() : found->triplet;
}

std::string_view last_part(std::string_view platform) {
    return platform.substr(platform.rfind('-') + 1);
}

// CPython learnt to tell musl from glibc in 3.11 (bpo-43112); an older one on musl looks for glibc's names.
std::string linux_triplet(std::string_view machine, CLibrary c_library, PythonVersion version) {
    const char* library = c_library == CLibrary::musl && version >= PythonVersion{3, 11} ? "musl" : "gnu";
    const std::string_view pattern = triplet_of(linux_machines, machine);
    if (pattern.empty()) {
        return fmt::format("{}-linux-{}", machine, library);
    }
    return fmt::format(fmt::runtime(pattern), library);
}

// pip takes macOS 11 and later by the major version alone, so the tag's minor version is always 0 there. The word
// without a version gets the oldest macOS of python.org's installers.
std::string macos_tag(const MacosPlatform& macos, PythonVersion python) {
    if (macos.major == 0) {
        return fmt::format("macosx_10_{}_{}", python >= PythonVersion{3, 12} ? 13 : 9, macos.architecture);
    }
    return fmt::format("macosx_{}_{}_{}", macos.major, macos.major > 10 ? 0 : macos.minor, macos.architecture);
}

}  // namespace

bool is_windows(const Target& target) noexcept {
    return target.name.starts_with("win") || target.name.starts_with("mingw");
}

std::string_view library_extension(const Target& target) noexcept {
    return target.name.starts_with("cygwin") || target.name.starts_with("msys") ? ".dll" : ".so";
}

std::string platform_triplet(const Target& target, PythonVersion version) {
    const std::string_view name = target.name;
    const std::string_view machine = last_part(name);
    if (name.starts_with("linux-")) {
        return linux_triplet(name.substr(std::string_view("linux-").size()), target.c_library, version);
    }
    if (name.starts_with("macosx-")) {
        return "darwin";
    }
    if (name.starts_with("android-")) {
        return std::string(triplet_of(android_machines, machine));
    }
    if (name.starts_with("ios-")) {
        return std::string(machine);  // the device or its simulator: PEP 730 keeps the machine out of the name
    }
    if (name.starts_with("emscripten") || name.starts_with("pyodide")) {
        return "wasm32-emscripten";
    }
    if (name.starts_with("wasi")) {
        return "wasm32-wasi";
    }
    if (name.starts_with("cygwin") || name.starts_with("msys")) {
        return fmt::format("{}-{}", machine, name.substr(0, name.find('-')));
    }
    return {};
}

std::string wheel_platform(const Target& target, PythonVersion version) {
    // The name, not the platform as given: it knows of a 32-bit Python. Only the macOS row's name lacks the version.
    if (const std::optional<MacosPlatform> macos = parse_macos_platform(target.platform)) {
        return macos_tag(*macos, version);
    }
    std::string tag = target.name;
    std::transform(tag.begin(), tag.end(), tag.begin(), [](char letter) {
        if (letter == '-' || letter == '.') {
            return '_';
        }
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return tag;
}

}  // namespace nasm_build::toolchain
