// What a wheel says of itself, and what is in it: its name, its metadata, its entries and its modules.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/expectations.hpp"

namespace nasm_build::inspect {

/// A binary of the wheel.
struct WheelBinary {
    std::string member;
    bool is_module = false;
    std::string module_name;
    std::string suffix;  ///< from the first dot of the file name: `.abi3.so`
    std::optional<toolchain::PythonBuild> named_python;  ///< the CPython that the file's name says
    bool is_refused = false;  ///< file-name or wrong-platform says why it is not found
};

struct WheelFacts {
    std::vector<std::string>
        python_tags;  ///< those of the file name; empty, like the next two, for a name that is no wheel's
    std::vector<std::string> abi_tags;
    std::vector<std::string> platform_tags;
    bool has_statement = false;  ///< the file WHEEL is there
    std::vector<std::string> tag_lines;  ///< of WHEEL: `cp313-cp313-win_amd64`
    bool root_is_purelib = false;
    bool has_record = false;
    std::set<std::string, std::less<>> recorded;  ///< the names in RECORD
    bool has_dependencies = false;  ///< METADATA has a Requires-Dist
    std::vector<std::string> entries;  ///< the names in the archive, without folders
    std::vector<WheelBinary> binaries;
    Expectations promised;  ///< what the tags (or the command line) promise
};

/// The texts of the `.dist-info` folder; nothing for a file that is not there.
struct WheelTexts {
    std::optional<std::string> statement;  ///< WHEEL
    std::optional<std::string> metadata;  ///< METADATA
    std::optional<std::string> record;  ///< RECORD
};

/// Facts without `binaries` and `promised`, which the caller adds.
[[nodiscard]] WheelFacts wheel_facts(std::string_view path, std::vector<std::string> entries, const WheelTexts& texts);

}  // namespace nasm_build::inspect
