#include "toolchain/install_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <vector>

namespace nasm_build::toolchain {

namespace {

struct PackageManager {
    std::string_view distribution;
    std::string_view command;
    std::string_view nasm = "nasm";
    std::string_view lld = "lld";
};

// IDs of os-release(5); derived distributions name one of these in ID_LIKE.
constexpr auto package_managers = std::to_array<PackageManager>({
    {"debian", "apt-get install"},
    {"ubuntu", "apt-get install"},
    {"fedora", "dnf install"},
    {"rhel", "dnf install"},
    {"centos", "dnf install"},
    {"almalinux", "dnf install"},
    {"rocky", "dnf install"},
    {"amzn", "dnf install"},
    {"alpine", "apk add"},
    {"arch", "pacman -S"},
    {"opensuse", "zypper install"},
    {"opensuse-leap", "zypper install"},
    {"opensuse-tumbleweed", "zypper install"},
    {"suse", "zypper install"},
    {"sles", "zypper install"},
    {"gentoo", "emerge", "dev-lang/nasm", "llvm-core/lld"},
    {"void", "xbps-install"},
    {"nixos", "nix-shell -p"},
});

constexpr PackageManager any_system{"", "conda install -c conda-forge"};

// The value of `KEY=value`, out of its quotation marks.
std::string_view value_of(std::string_view os_release, std::string_view key) {
    while (!os_release.empty()) {
        const std::size_t end = os_release.find('\n');
        std::string_view line = os_release.substr(0, end);
        os_release.remove_prefix(end == std::string_view::npos ? os_release.size() : end + 1);
        if (!line.starts_with(key) || line.substr(key.size(), 1) != "=") {
            continue;
        }
        line.remove_prefix(key.size() + 1);
        if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front()) {
            line = line.substr(1, line.size() - 2);
        }
        return line;
    }
    return {};
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = text.find(' ');
        if (end != 0) {
            words.push_back(text.substr(0, end));
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return words;
}

PackageManager linux_manager(std::string_view os_release) {
    std::vector<std::string_view> distributions{value_of(os_release, "ID")};
    const std::vector<std::string_view> alike = words_of(value_of(os_release, "ID_LIKE"));
    distributions.insert(distributions.end(), alike.begin(), alike.end());
    for (const std::string_view distribution : distributions) {
        const auto found = std::find_if(package_managers.begin(), package_managers.end(),
                                        [&](const PackageManager& row) { return row.distribution == distribution; });
        if (found != package_managers.end()) {
            return *found;
        }
    }
    return any_system;
}

PackageManager manager_of(System system, std::string_view os_release) {
    switch (system) {
        case System::linux_distribution:
            return linux_manager(os_release);
        case System::macos:
            return {"", "brew install"};
        case System::windows:
            return {"", "winget install", "NASM.NASM", "LLVM.LLVM"};
        case System::other:
            break;
    }
    return any_system;
}

}  // namespace

std::string install_command(Tool tool, System system, std::string_view os_release) {
    const PackageManager manager = manager_of(system, os_release);
    return fmt::format("{} {}", manager.command, tool == Tool::nasm ? manager.nasm : manager.lld);
}

std::string install_command(Tool tool) {
#if defined(_WIN32)
    return install_command(tool, System::windows, {});
#elif defined(__APPLE__)
    return install_command(tool, System::macos, {});
#elif defined(__linux__)
    for (const char* file : {"/etc/os-release", "/usr/lib/os-release"}) {
        std::ifstream stream(file);
        if (stream) {
            const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
            return install_command(tool, System::linux_distribution, text);
        }
    }
    return install_command(tool, System::linux_distribution, {});
#else
    return install_command(tool, System::other, {});
#endif
}

}  // namespace nasm_build::toolchain
