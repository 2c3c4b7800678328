#include "inspect/expectations.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace nasm_build::inspect {

namespace {

using toolchain::Abi;
using toolchain::PythonBuild;
using toolchain::Target;

// CPython 3.11 is the first that names musl in its modules' suffix (bpo-43112): an older name with `gnu` may be either.
constexpr toolchain::PythonVersion first_with_musl_suffix{3, 11};

std::string both(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += text.empty() ? word : " and " + word;
    }
    return text;
}

template <typename Item>
std::string describe_all(const std::vector<Item>& items) {
    std::vector<std::string> words;
    for (const Item& item : items) {
        const std::string word = describe(item);
        if (std::find(words.begin(), words.end(), word) == words.end()) {
            words.push_back(word);
        }
    }
    return both(words);
}

// Whether a CPython of the kind that is promised imports a file whose name says `named`. A debug build looks for the
// release build's suffix as well (bpo-36722), but for on Windows.
bool imports(const PythonBuild& promised, const PythonBuild& named, bool is_windows) {
    const bool fits_debug = promised.debug == named.debug || (promised.debug && !is_windows);
    return promised.abi == Abi::version_specific && promised.version == named.version &&
           promised.free_threaded == named.free_threaded && fits_debug;
}

// Free-threaded builds pass `.abi3.so` by (PEP 703), and `.abi3t.so` is looked for from 3.15 on (PEP 803).
bool imports(const PythonBuild& promised, Abi named) {
    if (named == Abi::abi3) {
        return promised.abi == Abi::abi3 || (promised.abi == Abi::version_specific && !promised.free_threaded);
    }
    return promised.version >= toolchain::PythonVersion{3, 15};
}

bool same_platform(const Target& promised, const Target& named, bool library_is_known) {
    return promised.name == named.name && (!library_is_known || promised.c_library == named.c_library);
}

void merge_python(Expectations& merged, const Expectations& file, const std::vector<PythonBuild>& stronger,
                  const char* by) {
    if (stronger.empty()) {
        return;
    }
    merged.python = stronger.front();
    merged.pythons = stronger;
    merged.unversioned_abi.reset();
    const auto conflict = [&](std::string said) {
        merged.conflicts.push_back({std::move(said), describe_all(stronger), by});
    };
    const bool is_windows = file.format == Format::pe;
    if (file.python) {
        const auto fits = std::find_if(stronger.begin(), stronger.end(),
                                       [&](const PythonBuild& one) { return imports(one, *file.python, is_windows); });
        if (fits == stronger.end()) {
            conflict(describe(*file.python));
        } else {
            merged.python = *fits;
        }
    } else if (file.unversioned_abi) {
        const bool fits = std::any_of(stronger.begin(), stronger.end(),
                                      [&](const PythonBuild& one) { return imports(one, *file.unversioned_abi); });
        if (!fits) {
            conflict(toolchain::name_of(*file.unversioned_abi));
        }
    }
}

// `knows_library`: whether the stronger source tells glibc from musl; sysconfig's platform word and the tag made
// of it do not.
void merge_target(Expectations& merged, const Expectations& file, const std::vector<Target>& stronger, const char* by,
                  bool knows_library) {
    if (stronger.empty()) {
        return;
    }
    merged.targets = stronger;
    if (file.targets.empty()) {
        return;
    }
    const Target& named = file.targets.front();
    if (!knows_library) {
        merged.targets.front().c_library = named.c_library;
    }
    const bool library_is_known = knows_library && file.python && file.python->version >= first_with_musl_suffix;
    const bool fits = std::any_of(stronger.begin(), stronger.end(), [&](const Target& promised) {
        return same_platform(promised, named, library_is_known);
    });
    if (!fits) {
        merged.conflicts.push_back({describe(named), describe_all(stronger), by});
    }
}

}  // namespace

Expectations merge(const Expectations& file, const Expectations& wheel, const CommandLineExpectations& command_line) {
    constexpr const char* wheel_tag = "the wheel's tag";
    constexpr const char* options = "the command line";
    Expectations merged = file;
    merged.promised_elsewhere = wheel.promised_elsewhere;
    merged.platform_tags = wheel.platform_tags;
    merged.wheel = wheel.wheel;
    if (command_line.python) {
        merge_python(merged, file, {*command_line.python}, options);
        merged.other_implementation.clear();
    } else {
        merge_python(merged, file, wheel.pythons, wheel_tag);
        if (!wheel.other_implementation.empty()) {
            merged.other_implementation = wheel.other_implementation;
        }
    }
    if (command_line.target) {
        merge_target(merged, file, {*command_line.target}, options, false);
    } else {
        // `linux_x86_64` is what every build for this machine says, be its C library glibc or musl.
        merge_target(merged, file, wheel.targets, wheel_tag, wheel.promised_elsewhere);
    }
    if (!command_line.name.empty()) {
        merged.module_name = command_line.name;
        merged.is_extension_module = true;
        merged.has_module_suffix = true;  // who gives a name says that it is a module
    }
    return merged;
}

std::string describe(const PythonBuild& python) {
    if (python.abi != Abi::version_specific) {
        return fmt::format("CPython {} and later ({})", toolchain::to_string(python.version),
                           toolchain::name_of(python.abi));
    }
    return fmt::format("CPython {}", toolchain::to_string(python));
}

std::string describe(const Target& target) {
    return target.c_library == toolchain::CLibrary::musl ? target.name + " (musl)" : target.name;
}

}  // namespace nasm_build::inspect
