// Where LLVM's linkers are looked for on each system.

#include "base/environment.hpp"
#include "toolchain/find_linker.hpp"

namespace nasm_build::toolchain {

namespace {

#ifdef _WIN32

std::vector<std::string> usual_places() {
    std::vector<std::string> folders;
    for (const char* variable : {"ProgramFiles", "ProgramFiles(x86)"}) {
        if (const std::optional<std::string> base = environment_variable(variable)) {
            folders.push_back(path_to_utf8(path_from_utf8(*base) / "LLVM" / "bin"));
        }
    }
    if (const std::optional<std::string> home = environment_variable("USERPROFILE")) {
        folders.push_back(path_to_utf8(path_from_utf8(*home) / "scoop" / "shims"));
    }
    folders.insert(folders.end(), {"C:\\msys64\\clang64\\bin", "C:\\msys64\\ucrt64\\bin", "C:\\msys64\\mingw64\\bin"});
    return folders;
}

#else

// Debian and Fedora keep each version of LLVM in a folder of its own: the newest first.
std::vector<std::string> usual_places() {
    constexpr unsigned newest = 30;
    constexpr unsigned oldest = 14;
    std::vector<std::string> folders{"/usr/bin", "/usr/local/bin"};
    for (unsigned version = newest; version >= oldest; --version) {
        folders.push_back("/usr/lib/llvm-" + std::to_string(version) + "/bin");
        folders.push_back("/usr/lib64/llvm" + std::to_string(version) + "/bin");
    }
    // Homebrew links neither of its two packages into its bin folder on every system.
    for (const char* root : {"/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"}) {
        for (const char* package : {"lld", "llvm"}) {
            folders.push_back(std::string(root) + "/opt/" + package + "/bin");
        }
    }
    return folders;
}

#endif

}  // namespace

LinkerPlaces linker_places(const std::optional<std::string>& setting, const std::optional<std::string>& zig) {
    LinkerPlaces places;
    places.setting = setting;
    places.variable = environment_variable("NASM_BUILD_LINKER");
    places.search_path = split_search_path(environment_variable("PATH").value_or(""));
    places.usual_places = usual_places();
    places.zig = zig;
    return places;
}

}  // namespace nasm_build::toolchain
