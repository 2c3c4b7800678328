#include "toolchain/installation.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

namespace nasm_build::toolchain {

namespace {

namespace fs = std::filesystem;

// The folders of a folder whose names begin so, the last name first: of several Pythons the newest.
std::vector<fs::path> folders_named(const fs::path& folder, std::string_view beginning) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().filename().string().starts_with(beginning)) {
            found.push_back(entry->path());
        }
    }
    std::sort(found.rbegin(), found.rend());
    return found;
}

// Every folder that may be the one on sys.path that belongs to a scripts folder's parent (sysconfig's schemes).
std::vector<fs::path> module_folders(const fs::path& prefix) {
    std::vector<fs::path> folders{prefix, prefix / "Lib" / "site-packages", prefix / "site-packages"};
    for (const char* library : {"lib", "lib64"}) {
        for (const fs::path& python : folders_named(prefix / library, "python3")) {
            folders.push_back(python / "site-packages");
            folders.push_back(python / "dist-packages");
        }
    }
    return folders;
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

}  // namespace

std::optional<fs::path> find_package_folder(const fs::path& executable) {
    if (executable.empty()) {
        return std::nullopt;
    }
    for (const fs::path& folder : module_folders(executable.parent_path().parent_path())) {
        // The metadata says that the package is there as an installed one, and is this program's other half.
        if (is_there(folder / "nasm_build-" NASM_BUILD_VERSION ".dist-info") && is_there(folder / "nasm_build")) {
            return folder / "nasm_build";
        }
    }
    return std::nullopt;
}

std::optional<fs::path> find_include_folder(const fs::path& executable) {
    const std::optional<fs::path> package = find_package_folder(executable);
    if (!package || !is_there(*package / "include")) {
        return std::nullopt;
    }
    return *package / "include";
}

std::optional<fs::path> find_carried_nasm(const fs::path& executable) {
#ifdef _WIN32
    constexpr const char* name = "nasm.exe";
#else
    constexpr const char* name = "nasm";
#endif
    const std::optional<fs::path> package = find_package_folder(executable);
    if (!package || !is_there(*package / "carried" / name)) {
        return std::nullopt;
    }
    return *package / "carried" / name;
}

}  // namespace nasm_build::toolchain
