// See whole_check.hpp.
#include "whole_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/error.hpp"
#include "inspect/check.hpp"
#include "inspect/read/object.hpp"

namespace nasm_build::fuzz {

namespace {

bool is_one_line(std::string_view text) noexcept {
    return !text.empty() && text.find('\n') == std::string_view::npos;
}

/// What may not go to a terminal: control characters, those beyond ASCII included.
bool has_control_character(std::string_view text) noexcept {
    unsigned char before = 0;
    return std::any_of(text.begin(), text.end(), [&before](char c) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_upper = before == 0xC2 && byte >= 0x80 && byte < 0xA0;
        before = byte;
        return (byte < 0x20 && c != '\n') || byte == 0x7F || is_upper;
    });
}

void judge(Outcome& outcome, const inspect::Report& report, bool every_report) {
    if (report.files.empty()) {
        outcome.broken = "the report says nothing of the file";
    }
    for (const inspect::FileReport& file : report.files) {
        if (file.status == inspect::FileStatus::unreadable) {
            outcome.refused = true;
            if (!is_one_line(file.reason)) {
                outcome.broken = fmt::format("the reason is not one line: {}", file.reason);
            }
        }
    }
    if (has_control_character(inspect::as_text(report))) {
        outcome.broken = "the text report has a control character in it";
    }
    if (!every_report) {
        return;
    }
    if (has_control_character(inspect::as_github(report))) {
        outcome.broken = "the report for GitHub has a control character in it";
    }
    if (inspect::as_json(report).empty() || inspect::as_sarif(report).empty()) {
        outcome.broken = "a report is empty";
    }
}

// What may end in an Error: its message is one line.
template <typename Check>
Outcome refusable(const Check& check) {
    Outcome outcome;
    try {
        check(outcome);
    } catch (const Error& error) {
        outcome.refused = true;
        if (!is_one_line(error.what())) {
            outcome.broken = fmt::format("the message is not one line: {}", error.what());
        }
    } catch (const std::exception& error) {
        outcome.broken = fmt::format("an exception that is no Error: {}", error.what());
    }
    return outcome;
}

}  // namespace

Outcome check_whole(const std::string& name, std::span<const std::byte> bytes, bool every_report) {
    Outcome outcome;
    try {
        judge(outcome, inspect::check_bytes(name, bytes, {}), every_report);
    } catch (const std::exception& error) {
        outcome.broken = fmt::format("an exception that nobody caught: {}", error.what());
    }
    return outcome;
}

Outcome check_verified(const std::string& name, std::span<const std::byte> module, std::span<const std::byte> object,
                       bool every_report) {
    inspect::CheckOptions options;
    options.verify_conventions = true;
    std::vector<inspect::ObjectInMemory> objects;
    if (!object.empty()) {
        objects.push_back({"module.o", object});
    }
    return refusable(
        [&](Outcome& outcome) { judge(outcome, inspect::check_bytes(name, module, options, objects), every_report); });
}

Outcome check_object(std::span<const std::byte> bytes) {
    return refusable([&](Outcome&) { static_cast<void>(inspect::references_to_undefined(bytes)); });
}

std::vector<std::string> names_for(std::string_view format, const std::string& file_name) {
    const std::string stem = file_name.substr(0, file_name.find('.'));
    if (format == "wheel") {
        return {"pkg-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                "pkg-1.0-cp310-abi3-win_amd64.whl", "pkg-1.0-cp314-cp314t-macosx_11_0_universal2.whl",
                "pkg-1.0-py3-none-musllinux_1_2_aarch64.whl", "pkg.zip"};
    }
    if (format == "pe") {
        return {stem + ".cp313-win_amd64.pyd", stem + ".pyd", stem + ".cp313t-win_arm64.pyd", stem + ".dll", file_name};
    }
    if (format == "code" || format == "stream" || format == "lines") {  // names of modules, for any of the formats
        return {stem + ".cpython-313-x86_64-linux-gnu.so", stem + ".cpython-313-darwin.so",
                stem + ".cp313-win_amd64.pyd"};
    }
    if (format == "macho") {
        return {stem + ".cpython-313-darwin.so", stem + ".abi3.so", stem + ".cpython-314t-darwin.so", stem + ".dylib",
                file_name};
    }
    return {stem + ".cpython-313-x86_64-linux-gnu.so", stem + ".abi3.so", stem + ".cpython-312-aarch64-linux-musl.so",
            "lib" + stem + ".so.1", file_name};
}

}  // namespace nasm_build::fuzz
