// Where NASM is looked for on each system.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/environment.hpp"
#include "toolchain/find_nasm.hpp"
#include "toolchain/installation.hpp"

namespace nasm_build::toolchain {

namespace {

#ifdef _WIN32

namespace fs = std::filesystem;

void add_under(std::vector<std::string>& folders, const char* variable, const char* folder) {
    if (const std::optional<std::string> base = environment_variable(variable)) {
        folders.push_back(path_to_utf8(path_from_utf8(*base) / folder));
    }
}

// vcpkg keeps the tools it downloads in folders with their versions: downloads\tools\nasm\nasm-2.16.03.
void add_vcpkg(std::vector<std::string>& folders) {
    const std::optional<std::string> root = environment_variable("VCPKG_ROOT");
    if (!root) {
        return;
    }
    std::vector<std::string> versions;
    std::error_code error;
    const fs::path tools = path_from_utf8(*root) / "downloads" / "tools" / "nasm";
    for (fs::directory_iterator entry(tools, error), end; !error && entry != end; entry.increment(error)) {
        versions.push_back(path_to_utf8(entry->path()));
    }
    std::sort(versions.rbegin(), versions.rend());
    folders.insert(folders.end(), versions.begin(), versions.end());
}

// NASM's installer for all users, the one for a single user (which adds nothing to PATH), Chocolatey, Scoop, Strawberry
// Perl, MSYS2.
std::vector<std::string> usual_places() {
    std::vector<std::string> folders;
    add_under(folders, "ProgramFiles", "NASM");
    add_under(folders, "ProgramFiles(x86)", "NASM");
    add_under(folders, "LOCALAPPDATA", "bin\\NASM");
    add_under(folders, "LOCALAPPDATA", "Microsoft\\WinGet\\Links");
    add_under(folders, "ChocolateyInstall", "bin");
    add_under(folders, "USERPROFILE", "scoop\\shims");
    add_vcpkg(folders);
    for (const char* folder :
         {"C:\\Strawberry\\c\\bin", "C:\\msys64\\ucrt64\\bin", "C:\\msys64\\mingw64\\bin", "C:\\msys64\\usr\\bin"}) {
        folders.emplace_back(folder);
    }
    return folders;
}

#else

std::vector<std::string> usual_places() {
    return {
        "/usr/bin",
        "/usr/local/bin",
#ifdef __APPLE__
        "/opt/homebrew/bin",  // Homebrew on Apple silicon
        "/opt/local/bin",  // MacPorts
#else
        "/home/linuxbrew/.linuxbrew/bin",
        "/usr/pkg/bin",  // pkgsrc
#endif
        "/nix/var/nix/profiles/default/bin",
    };
}

#endif

}  // namespace

NasmPlaces nasm_places(const std::optional<std::string>& setting) {
    NasmPlaces places;
    places.setting = setting;
    places.variable = environment_variable("NASM");
    places.search_path = split_search_path(environment_variable("PATH").value_or(""));
    places.usual_places = usual_places();
    if (const std::optional<std::filesystem::path> carried = find_carried_nasm(executable_path())) {
        places.carried = path_to_utf8(*carried);
    }
    return places;
}

}  // namespace nasm_build::toolchain
