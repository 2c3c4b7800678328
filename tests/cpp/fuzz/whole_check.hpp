// What is run on every damaged input: not a reader alone, but the check of a file from its bytes to its reports.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::fuzz {

struct Outcome {
    bool refused = false;  ///< a file or a module in it could not be read, and the reason is one line
    std::string
        broken;  ///< what no input may lead to: another exception, a reason of two lines, a control character; or empty
};

/// Checks `bytes` as a file called `name`, and writes the report as text; with `every_report` in all forms. SARIF carries the pages
/// of the rules, and costs more than the check.
[[nodiscard]] Outcome check_whole(const std::string& name, std::span<const std::byte> bytes, bool every_report);

/// The same with the verifier of calling conventions, which names the lines of `object` unless that is empty.
[[nodiscard]] Outcome check_verified(const std::string& name, std::span<const std::byte> module,
                                     std::span<const std::byte> object, bool every_report);

/// Finds the source lines of an object's references, as `nasm-ext references` does.
[[nodiscard]] Outcome check_object(std::span<const std::byte> bytes);

/// Names by which a file of a format is checked: each lets other rules speak. `format` is elf, pe, macho, wheel, or one of
/// those with the verifier.
[[nodiscard]] std::vector<std::string> names_for(std::string_view format, const std::string& file_name);

}  // namespace nasm_build::fuzz
