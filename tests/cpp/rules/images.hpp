// Images and expectations made by hand: a module with nothing wrong, of each format, to be spoilt one fact at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "inspect/expectations.hpp"
#include "inspect/rules/rules.hpp"
#include "toolchain/python_abi.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::inspect::testing {

inline constexpr std::uint64_t code_address = 0x1000;
inline constexpr std::uint64_t data_address = 0x2000;

inline Export exported(std::string name, std::uint64_t address = code_address) {
    Export one;
    one.name = std::move(name);
    one.address = address;
    one.kind = SymbolKind::function;
    return one;
}

inline Import imported(std::string name, std::string library = {}) {
    Import one;
    one.name = std::move(name);
    one.library = std::move(library);
    return one;
}

inline Library library(std::string name) {
    Library one;
    one.name = std::move(name);
    return one;
}

// What a module named pymult has in every format: code, data, its entry point.
inline Image module_of(Format format) {
    Image image;
    image.format = format;
    image.machine = Machine::x86_64;
    image.kind = format == Format::macho ? FileKind::bundle : FileKind::shared_library;
    image.stack = format == Format::elf ? Stack::not_executable : Stack::not_applicable;
    image.memory = {{"", code_address, 0x100, true, false, true}, {"", data_address, 0x100, true, true, false}};
    image.sections = {{".text", code_address, 0x100, false, true}, {".data", data_address, 0x100, true, false}};
    image.exports = {exported("PyInit_pymult")};
    image.pe.has_relocations = image.pe.dynamic_base = image.pe.high_entropy = image.pe.no_execute =
        format == Format::pe;
    if (format == Format::macho) {
        image.platform = "macos";
        image.minimum_system = "10.13";
    }
    if (format == Format::elf) {
        constexpr std::uint64_t page = 4096;
        image.elf.loads = {{code_address, code_address, page}, {data_address, data_address, page}};
        image.elf.has_read_only_relocations = true;
        image.elf.has_late_bindings = true;
        image.elf.binds_at_load = true;
        image.elf.properties.x86_shadow_stack = true;
    }
    return image;
}

// The same with one import of Python, as its format has it.
inline Image module_with(Format format, const std::string& symbol) {
    Image image = module_of(format);
    Import import = imported(symbol);
    import.flat = format == Format::macho;
    if (format == Format::pe) {
        import.library = "python313.dll";
        image.libraries = {library("python313.dll")};
    }
    image.imports = {import};
    return image;
}

inline Expectations for_python(const std::string& version) {
    Expectations expected;
    expected.module_name = "pymult";
    expected.has_module_suffix = true;
    expected.python = toolchain::parse_python(version);
    expected.pythons = {*expected.python};
    return expected;
}

inline Expectations for_stable_abi(const std::string& version) {
    Expectations expected = for_python("3.13");
    expected.python = toolchain::parse_stable_abi(version);
    expected.pythons = {*expected.python};
    return expected;
}

inline Expectations for_target(const std::string& platform) {
    Expectations expected = for_python("3.13");
    expected.targets = {toolchain::find_target(platform)};
    return expected;
}

/// What a module for CPython 3.13 in a wheel of these platform tags is held to.
inline Expectations for_tag(const std::string& tags) {
    const std::string name = "pymult-1.0-cp313-cp313-" + tags + ".whl";
    return merge(for_python("3.13"), expectations_from_wheel_name(name), {});
}

// Findings as people see them, one a line: what the tests compare.
inline std::vector<std::string> lines(const Verdict& verdict) {
    std::vector<std::string> all;
    for (const Finding& finding : verdict.findings) {
        all.push_back(std::string(name_of(finding.severity)) + ": " + finding.message + " [" + finding.rule + "]");
        if (!finding.fix.empty()) {
            all.push_back("fix: " + finding.fix);
        }
    }
    for (const NotChecked& rule : verdict.not_checked) {
        all.push_back("not checked: " + rule.rule + ", because " + rule.reason);
    }
    return all;
}

using Lines = std::vector<std::string>;

}  // namespace nasm_build::inspect::testing
