#include "inspect/facts.hpp"

#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "inspect/find_files.hpp"
#include "inspect/read/read.hpp"
#include "inspect/read/wheel.hpp"

namespace nasm_build::inspect {

namespace {

using Visit = std::function<void(const FileFacts&)>;

// An error of the reader is an entry; one of `visit`, which writes, is none, so nothing is visited inside the try.
void visit_module(const std::string& path, std::string_view member, std::span<const std::byte> bytes,
                  const Visit& visit) {
    std::vector<Image> images;
    std::string reason;
    try {
        images = read_images(bytes);
    } catch (const Error& error) {
        reason = error.what();
    }
    if (!reason.empty()) {
        visit({path, member, reason, nullptr});
    }
    for (const Image& image : images) {
        visit({path, member, {}, &image});
    }
}

}  // namespace

void for_each_facts(std::span<const std::string> paths, const Visit& visit) {
    for (const FoundFile& found : find_files(paths)) {
        const std::string& path = found.path;
        try {
            const FileBytes file = read_file(path_from_utf8(path));
            if (file_type_of(file.bytes()) != FileType::zip) {
                visit_module(path, {}, file.bytes(), visit);
                continue;
            }
            for_each_module(file.bytes(), [&](const WheelModule& module) {
                visit_module(path, module.name, module.bytes, visit);
                file.release_pages();
            });
        } catch (const Error& error) {
            visit({path, {}, error.what(), nullptr});
        }
    }
}

}  // namespace nasm_build::inspect
