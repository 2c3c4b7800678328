// `nasm-ext entry-points`: the names that objects for Windows define for an interpreter, one a line; and a refusal of
// objects whose references would be cut short by the link.
#include <fmt/format.h>

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "cli/commands.hpp"
#include "cli/list_file.hpp"
#include "inspect/read/read.hpp"
#include "toolchain/coff_symbols.hpp"

namespace nasm_build::cli {

namespace {

void require_whole_addresses(std::span<const std::byte> object) {
    const std::vector<toolchain::ShortReference> found = toolchain::short_references(object);
    if (!found.empty()) {
        const toolchain::ShortReference& first = found.front();
        throw Error(
            fmt::format("'{}' is referred to by a 32-bit address (at {}+{:#x}), and modules for Windows lie above "
                        "4 GB",
                        first.symbol, first.section, first.offset),
            "lea rax, [rel name], or [rel name] as the operand; in tables: dq name");
    }
}

std::set<std::string> entry_points(const std::vector<std::string>& objects) {
    std::set<std::string> found;
    for (const std::string& path : objects) {
        try {
            const inspect::FileBytes file = inspect::read_file(path_from_utf8(path));
            require_whole_addresses(file.bytes());
            for (const std::string_view name : toolchain::defined_names(file.bytes())) {
                if (toolchain::is_entry_point(name)) {
                    found.emplace(name);
                }
            }
        } catch (const Error& error) {
            throw Error(fmt::format("{}: {}", path, error.what()), error.fix());
        }
    }
    return found;
}

void write_definition(const std::string& path, const std::set<std::string>& names) {
    const std::string text = fmt::format("EXPORTS\n{}\n", fmt::join(names, "\n"));
    if (!replace_file(path_from_utf8(path), std::as_bytes(std::span(text)))) {
        throw Error(fmt::format("{}: cannot be written", path), "let its folder be written to, and its disk have room");
    }
}

}  // namespace

void add_entry_points_command(CLI::App& app, int& exit_status) {
    const auto objects = std::make_shared<std::vector<std::string>>();
    const auto definition = std::make_shared<std::string>();
    CLI::App* command =
        app.add_subcommand("entry-points", "Name the entry points that objects for Windows define, to export them");
    command->add_option("OBJECT", *objects, "COFF objects; @FILE: those that the file lists, one a line")->required();
    command->add_option("--module-definition", *definition, "Write a .def file for the linker instead");
    command->callback([objects, definition, &exit_status] {
        const std::set<std::string> names = entry_points(with_lists(*objects));
        if (!definition->empty()) {
            write_definition(*definition, names);
        }
        for (const std::string& name : definition->empty() ? names : std::set<std::string>()) {
            fmt::print("{}\n", name);
        }
        exit_status = 0;
    });
}

}  // namespace nasm_build::cli
