// `nasm-ext trim-object`: what stands between NASM and a linker for macOS. Makefiles and CMake projects run it on every object;
// our own builds do.
#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "cli/commands.hpp"
#include "inspect/read/read.hpp"
#include "toolchain/macho_object.hpp"

namespace nasm_build::cli {

namespace {

namespace fs = std::filesystem;

// The object as it shall be; nothing where it is so already. The file is closed afterwards: Windows renames over no open one.
std::optional<std::vector<std::byte>> trimmed(const fs::path& path) {
    const inspect::FileBytes file = inspect::read_file(path);
    if (toolchain::is_object_of_another_kind(file.bytes())) {
        return std::nullopt;
    }
    std::vector<std::byte> object = toolchain::trim_macho_object(file.bytes());
    const bool is_changed = !std::equal(object.begin(), object.end(), file.bytes().begin(), file.bytes().end());
    return is_changed ? std::optional(std::move(object)) : std::nullopt;
}

void trim(const std::string& name) {
    try {
        const fs::path path = path_from_utf8(name);
        if (const auto object = trimmed(path)) {
            if (!replace_file(fs::canonical(path), *object)) {  // a link to an object stays a link
                throw Error("cannot be written", "let its folder be written to, and its disk have room");
            }
        }
    } catch (const Error& error) {
        throw Error(fmt::format("{}: {}", name, error.what()), error.fix());
    }
}

}  // namespace

void add_trim_object_command(CLI::App& app, int& exit_status) {
    const auto objects = std::make_shared<std::vector<std::string>>();
    CLI::App* command = app.add_subcommand(
        "trim-object", "Take NASM's labels out of objects for macOS, where linkers take them for functions");
    command->add_option("OBJECT", *objects, "Mach-O objects, changed in place; others are left alone")->required();
    command->callback([objects, &exit_status] {
        for (const std::string& name : *objects) {
            trim(name);
        }
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
