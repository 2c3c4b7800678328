#include "base/environment.hpp"

#include <system_error>

#ifdef _WIN32
#include "base/windows_text.hpp"
#else
#include <cstdlib>
#endif

#ifdef __APPLE__
#include <mach-o/dyld.h>

#include <cstdint>
#endif

namespace nasm_build {

std::optional<std::string> environment_variable(const std::string& name) {
#ifdef _WIN32
    const std::wstring wide_name = to_wide(name);
    const DWORD needed = GetEnvironmentVariableW(wide_name.c_str(), nullptr, 0);
    if (needed <= 1) {
        return std::nullopt;
    }
    std::wstring value(needed, L'\0');
    value.resize(GetEnvironmentVariableW(wide_name.c_str(), value.data(), needed));
    return to_utf8(value);
#else
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
        return std::nullopt;
    }
    return value;
#endif
}

std::vector<std::string> split_search_path(std::string_view text) {
#ifdef _WIN32
    constexpr char separator = ';';
#else
    constexpr char separator = ':';
#endif
    std::vector<std::string> folders;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        std::string_view folder = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
#ifdef _WIN32
        // cmd.exe lets a folder stand in quotation marks.
        if (folder.size() >= 2 && folder.front() == '"' && folder.back() == '"') {
            folder = folder.substr(1, folder.size() - 2);
        }
#endif
        if (!folder.empty()) {
            folders.emplace_back(folder);
        }
    }
    return folders;
}

std::filesystem::path path_from_utf8(std::string_view text) {
    return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

std::string path_to_utf8(const std::filesystem::path& path) {
    const std::u8string text = path.u8string();
    return {text.begin(), text.end()};
}

std::filesystem::path executable_path() {
    std::error_code error;
#if defined(_WIN32)
    std::wstring file(32768, L'\0');  // the longest path that Windows knows
    file.resize(GetModuleFileNameW(nullptr, file.data(), static_cast<DWORD>(file.size())));
    const std::filesystem::path path(file);
#elif defined(__APPLE__)
    std::uint32_t size = 0;
    _NSGetExecutablePath(nullptr, &size);
    std::string file(size, '\0');
    if (_NSGetExecutablePath(file.data(), &size) != 0) {
        return {};
    }
    const std::filesystem::path path(file.c_str());
#elif defined(__FreeBSD__)
    const std::filesystem::path path = std::filesystem::read_symlink("/proc/curproc/file", error);
#else
    const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
#endif
    if (error || path.empty()) {
        return {};
    }
    const std::filesystem::path resolved = std::filesystem::weakly_canonical(path, error);
    return error ? path : resolved;
}

}  // namespace nasm_build
