#include "inspect/tag_files.hpp"

#include <fmt/core.h>

#include <set>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "inspect/read/read.hpp"
#include "inspect/read/wheel.hpp"
#include "inspect/rules/libraries.hpp"

namespace nasm_build::inspect {

namespace {

using Names = std::set<std::string, std::less<>>;

void add(TaggedFiles& found, const std::string& member, std::span<const std::byte> bytes, const Names& bundled) {
    const Expectations file = expectations_from_path(member);
    const auto is_bundled = [&](std::string_view library) { return bundled.contains(base_name(library)); };
    for (const Image& image : read_images(bytes)) {
        BinaryNeeds needs = platform_needs(image, file, is_bundled);
        needs.member = member;
        found.binaries.push_back(std::move(needs));
    }
}

void add_wheel(TaggedFiles& found, std::span<const std::byte> bytes) {
    Names bundled;
    for (const WheelEntry& entry : wheel_entries(bytes)) {
        if (is_module_name(entry.name)) {
            bundled.emplace(base_name(entry.name));
        }
    }
    for_each_module(bytes, [&](const WheelModule& module) {
        const std::string member(module.name);
        try {
            add(found, member, module.bytes, bundled);
        } catch (const Error& error) {
            throw Error(fmt::format("{}: {}", member, error.what()), error.fix());
        }
    });
}

}  // namespace

TaggedFiles tag_files(std::span<const std::string> paths, toolchain::CLibrary c_library) {
    TaggedFiles found;
    Names together;
    for (const std::string& path : paths) {
        together.emplace(base_name(path));
    }
    for (const std::string& path : paths) {
        try {
            const FileBytes file = read_file(path_from_utf8(path));
            if (file_type_of(file.bytes()) == FileType::zip) {
                add_wheel(found, file.bytes());
            } else {
                add(found, path, file.bytes(), together);
            }
        } catch (const Error& error) {
            throw Error(fmt::format("{}: {}", path, error.what()), error.fix());
        }
    }
    found.platform = lowest_platform_tags(found.binaries, c_library);
    return found;
}

}  // namespace nasm_build::inspect
