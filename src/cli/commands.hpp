// The commands of nasm-ext: each file adds one to the command line, with what is run when it is named.
#pragma once

#include <CLI/CLI.hpp>

namespace nasm_build::cli {

// Each command sets `exit_status` when it has run: 0, or 1 where its answer is "no". What it cannot do it throws as
// nasm_build::Error, which main prints and turns into 2. `app` and `exit_status` must outlive the parse.

void add_assemble_command(CLI::App& app, int& exit_status);
void add_check_command(CLI::App& app, int& exit_status);
void add_explain_command(CLI::App& app, int& exit_status);
void add_facts_command(CLI::App& app, int& exit_status);
void add_references_command(CLI::App& app, int& exit_status);
void add_tag_command(CLI::App& app, int& exit_status);
void add_toolchain_command(CLI::App& app, int& exit_status);
void add_flags_command(CLI::App& app, int& exit_status);
void add_linker_command(CLI::App& app, int& exit_status);
void add_import_library_command(CLI::App& app, int& exit_status);
void add_entry_points_command(CLI::App& app, int& exit_status);
void add_isa_command(CLI::App& app, int& exit_status);
void add_trim_object_command(CLI::App& app, int& exit_status);

}  // namespace nasm_build::cli
