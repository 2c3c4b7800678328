#include "base/files.hpp"

#include <fstream>
#include <system_error>

namespace nasm_build {

namespace fs = std::filesystem;

bool replace_file(const fs::path& path, std::span<const std::byte> bytes) {
    fs::path partial = path;
    partial += ".partial";
    std::ofstream stream(partial, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    std::error_code error;
    if (stream) {
        const fs::file_status earlier = fs::status(path, error);
        if (fs::exists(earlier)) {
            fs::permissions(partial, earlier.permissions(), error);
        }
        fs::rename(partial, path, error);
    }
    if (!stream || error) {
        fs::remove(partial, error);
        return false;
    }
    return true;
}

}  // namespace nasm_build
