#include "toolchain/assemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include "base/byte_view.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "toolchain/dependencies.hpp"
#include "toolchain/flags.hpp"
#include "toolchain/hide_symbols.hpp"
#include "toolchain/macho_object.hpp"
#include "toolchain/program.hpp"

namespace nasm_build::toolchain {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_output = std::size_t{16} << 20U;
constexpr std::string_view rule_target = "nasm-build-object";

using Words = std::vector<std::string>;

void forget_nasm_environment() {
#ifdef _WIN32
    static_cast<void>(::_putenv_s("NASMENV", ""));
#else
    static_cast<void>(::unsetenv("NASMENV"));
#endif
}

Words command_of(const Assembly& assembly, const Words& words, const std::string& output) {
    Words command{assembly.nasm};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"-o", output, assembly.source});
    return command;
}

// The command as a person would type it.
std::string shown_command(const Assembly& assembly, const Words& words) {
    Words command = command_of(assembly, words, assembly.object);
    command.front() = "nasm";
    return shell_line(command);
}

ProcessResult run(const Words& command) {
    constexpr std::chrono::hours limit{24};  // a build is interrupted by whoever runs it
    ProcessResult result = run_process(command, limit, most_output);
    if (result.end == ProcessResult::End::not_started) {
        throw Error(fmt::format("NASM cannot be run: {}: {}", command.front(), system_message(result.status)),
                    "reinstall NASM, or name another one: NASM=/path/to/nasm");
    }
    return result;
}

bool is_good(const ProcessResult& result) {
    return result.end == ProcessResult::End::exited && result.status == 0;
}

std::string how_it_ended(const ProcessResult& result) {
    return result.end == ProcessResult::End::killed_by_signal ? "ended by " + signal_name(result.status)
                                                              : fmt::format("exit status {}", result.status);
}

// `-g` and `-F format` go, and how they are written in one word: `-gdwarf`, `-Fdwarf`.
Words without_debug_data(const Words& words) {
    Words rest;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "-F") {
            ++i;
        } else if (!words[i].starts_with("-g") && !words[i].starts_with("-F")) {
            rest.push_back(words[i]);
        }
    }
    return rest;
}

Words include_folders(const Words& words) {
    Words folders;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "-I" && i + 1 < words.size()) {
            folders.push_back(words[++i]);
        } else if (words[i].starts_with("-I") || words[i].starts_with("-i")) {
            folders.push_back(words[i].substr(2));
        }
    }
    return folders;
}

// A file that is gone when this is, unless it got its name before.
class Partial {
public:
    explicit Partial(const std::string& final) : final_(final), path_(final + ".partial") {}
    Partial(const Partial&) = delete;
    Partial& operator=(const Partial&) = delete;
    ~Partial() {
        std::error_code ignored;
        fs::remove(path_from_utf8(path_), ignored);
    }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    void give_name() const {
        std::error_code error;
        fs::rename(path_from_utf8(path_), path_from_utf8(final_), error);
        if (error) {
            throw Error(fmt::format("{}: cannot be written: {}", final_, error.message()),
                        "let its folder be written to, and its disk have room");
        }
    }

private:
    std::string final_;
    std::string path_;
};

std::vector<std::byte> content_of(const std::string& path) {
    std::ifstream stream(path_from_utf8(path), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

void write(const std::string& path, std::span<const std::byte> bytes) {
    if (!replace_file(path_from_utf8(path), bytes)) {
        throw Error(fmt::format("{}: cannot be written", path), "let its folder be written to, and its disk have room");
    }
}

// What is done to an object between NASM and the linker.
void finish_object(const Assembly& assembly, const std::string& path) {
    std::vector<std::byte> object = content_of(path);
    constexpr std::uint32_t macho_magic = 0xFEEDFACF;
    const bool is_of_another_kind = is_object_of_another_kind(object);
    const bool is_macho = object.size() >= 4 && ByteView(object).load<std::uint32_t>(0) == macho_magic;
    if (!is_of_another_kind && !is_macho) {
        throw Error(fmt::format("{}: NASM ended well and wrote no object", assembly.source),
                    "take the words out that make NASM write something else (-E, -M, -h), or name another NASM: "
                    "NASM=/path/to/nasm");
    }
    if (!is_of_another_kind) {
        object = trim_macho_object(object);
    }
    if (assembly.hides) {
        object = hide_symbols(object, assembly.exports);
    }
    write(path, object);
}

std::string absolute_name(const std::string& name) {
    return absolute_text(path_from_utf8(name));
}

// NASM 2.15 says an include's name as the source has it, without the folder that it found it in; so it is looked for in NASM's
// own order: as it is, then in each folder.
std::string found_name(const std::string& name, const Words& folders) {
    std::error_code ignored;
    if (!fs::is_regular_file(path_from_utf8(name), ignored)) {
        for (const std::string& folder : folders) {
            std::string candidate = fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
            if (fs::is_regular_file(path_from_utf8(candidate), ignored)) {
                return candidate;
            }
        }
    }
    return name;
}

void make_folder_of(const std::string& file) {
    std::error_code ignored;
    fs::create_directories(path_from_utf8(file).parent_path(), ignored);
}

Words inputs_of(const Assembly& assembly, const Words& command) {
    Words question = command;
    question.insert(question.end() - 1, {"-M", "-MT", std::string(rule_target)});
    Words inputs{assembly.source};
    const Words folders = include_folders(command);
    for (const std::string& input : rule_inputs(run(question).output, rule_target)) {
        if (input != assembly.source) {
            inputs.push_back(found_name(input, folders));
        }
    }
    return inputs;
}

void write_depfile(const Assembly& assembly, Words inputs) {
    std::transform(inputs.begin(), inputs.end(), inputs.begin(), absolute_name);
    const std::string rule = make_rule(assembly.object, inputs);
    make_folder_of(assembly.depfile);
    write(assembly.depfile, std::as_bytes(std::span(rule)));
}

}  // namespace

Assembled assemble(const Assembly& assembly) {
    forget_nasm_environment();
    const bool makes_two = !assembly.lined_object.empty();
    const Words words = makes_two ? without_debug_data(assembly.words) : assembly.words;
    const Partial object(assembly.object);
    make_folder_of(assembly.object);
    const Words command = command_of(assembly, words, object.path());
    const ProcessResult result = run(command);
    Assembled made;
    made.problems = problems_in(result.output, assembly.source, include_folders(assembly.words));
    if (!is_good(result)) {
        made.details = fmt::format("  command: {}\n  {}", shown_command(assembly, words), how_it_ended(result));
        if (std::none_of(made.problems.begin(), made.problems.end(), [](const auto& one) { return one.is_error; })) {
            made.problems.push_back({assembly.source, 0, true, "NASM failed on " + assembly.source, ""});
            made.details += "\n" + result.output.substr(0, result.output.find_last_not_of("\r\n") + 1);
        }
        return made;
    }
    finish_object(assembly, object.path());
    if (makes_two) {
        const Partial lined(assembly.lined_object);
        make_folder_of(assembly.lined_object);
        if (!is_good(run(command_of(assembly, assembly.words, lined.path())))) {
            throw Error(fmt::format("{}: NASM does not assemble it again with -g", assembly.source), "try again");
        }
        lined.give_name();
    }
    if (assembly.tells_inputs || !assembly.depfile.empty()) {
        made.inputs = inputs_of(assembly, command);
    }
    if (!assembly.depfile.empty()) {
        write_depfile(assembly, made.inputs);
    }
    object.give_name();
    made.is_made = true;
    return made;
}

}  // namespace nasm_build::toolchain
