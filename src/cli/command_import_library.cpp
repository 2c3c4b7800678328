// `nasm-ext import-library`: what a linker for Windows needs to know of CPython and of the C runtime, and one for macOS of
// libSystem, written from our own tables, so that neither a CPython nor an SDK of that platform has to be there.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "cli/commands.hpp"
#include "cli/python_dll.hpp"
#include "toolchain/import_library.hpp"
#include "toolchain/system_stub.hpp"
#include "toolchain/target.hpp"
#include "toolchain/windows_names.hpp"

namespace nasm_build::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string target;
    std::string python;
    std::string stable_abi;
    std::string folder;
};

toolchain::PythonBuild chosen(const Options& options) {
    std::optional<toolchain::PythonBuild> python;
    std::optional<toolchain::PythonBuild> stable_abi;
    if (!options.python.empty()) {
        python = toolchain::parse_python(options.python);
    }
    if (!options.stable_abi.empty()) {
        stable_abi = toolchain::parse_stable_abi(options.stable_abi);
    }
    const std::optional<toolchain::PythonBuild> build = toolchain::choose_build(python, stable_abi);
    if (!build) {
        throw Error("neither --python nor --abi3 was given", "nasm-ext import-library --python 3.13 --output FOLDER");
    }
    return *build;
}

void write_whole(const fs::path& path, const std::string& bytes) {
    if (!replace_file(path, std::as_bytes(std::span(bytes)))) {
        throw Error(fmt::format("{} cannot be written", path_to_utf8(path)), "give a folder that can be written to");
    }
}

void write_library(const fs::path& folder, std::string_view dll, std::span<const toolchain::ImportName> names) {
    const fs::path path = folder / path_from_utf8(std::string(dll.substr(0, dll.rfind('.'))) + ".lib");
    write_whole(path, toolchain::import_library(dll, names));
    fmt::print("{}\n", path_to_utf8(path));
}

void write_for_windows(const Options& options, const fs::path& folder) {
    const PythonLibrary python = python_library(chosen(options));
    write_library(folder, python.dll, python.names);
    for (const toolchain::RuntimeLibrary& library : toolchain::runtime_libraries()) {
        write_library(folder, library.dll, library.functions);
    }
}

// CPython's own names are looked up where the module is loaded: no bundle for macOS names a library of CPython.
void write_for_macos(const fs::path& folder) {
    const fs::path path = folder / "libSystem.tbd";
    write_whole(path, toolchain::system_library_stub());
    fmt::print("{}\n", path_to_utf8(path));
}

void run(const Options& options) {
    const toolchain::Target target = toolchain::find_target(options.target);
    if (target.link_style != toolchain::LinkStyle::coff && target.link_style != toolchain::LinkStyle::macho) {
        throw Error(fmt::format("modules for {} are linked without import libraries", target.name),
                    "name a target of Windows or macOS: --target win-amd64, --target macosx-11.0-x86_64");
    }
    const fs::path folder = path_from_utf8(options.folder);
    std::error_code error;
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder, error)) {
        throw Error(fmt::format("{} is no folder that can be written to", options.folder),
                    "give another: --output FOLDER");
    }
    if (target.link_style == toolchain::LinkStyle::coff) {
        write_for_windows(options, folder);
    } else {
        write_for_macos(folder);
    }
}

}  // namespace

void add_import_library_command(CLI::App& app, int& exit_status) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand(
        "import-library",
        "Write what a linker must know of another platform's CPython and C library, and name the files");
    command->add_option("--target", options->target, "The platform: win-amd64 (the default), macosx-11.0-x86_64")
        ->default_val("win-amd64");
    command->add_option("--python", options->python, "The CPython whose DLL is meant: 3.13, 3.13t");
    command->add_option("--abi3", options->stable_abi,
                        "The DLL of the stable ABI, with what it has from this CPython on: 3.10, or 3.15t for abi3t");
    command->add_option("--output", options->folder, "The folder to write into")->required();
    command->callback([options, &exit_status] {
        run(*options);
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
