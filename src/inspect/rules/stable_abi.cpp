#include "inspect/rules/stable_abi.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>

#include "inspect/rules/libraries.hpp"
#include "inspect/rules/python_names.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::Abi;

// PEP 803: exported for older modules, but PyModuleDef is opaque in abi3t, so nothing can be passed to them.
constexpr auto unusable_in_abi3t =
    std::to_array<std::string_view>({"PyModuleDef_Init", "PyModule_Create2", "PyModule_FromDefAndSpec2"});

// The known CPythons from the promised one on that do not have the name, in words: `CPython 3.10 to 3.12`.
std::string lacking(const PythonSymbol& symbol, const Image& image, unsigned floor) {
    PythonExports python;
    python.platform = python_platform(image);
    std::optional<unsigned> first;
    unsigned last = 0;
    for (python.minor = std::max(floor, oldest_known_minor); python.minor <= newest_known_minor; ++python.minor) {
        if (!symbol.exported_by(python)) {
            first = first.value_or(python.minor);
            last = python.minor;
        } else if (first) {
            break;  // the first stretch of versions is enough to say
        }
    }
    if (!first) {
        return {};
    }
    if (last == newest_known_minor && *first < last) {
        return fmt::format("CPython 3.{} and later do", *first);
    }
    return *first == last ? fmt::format("CPython 3.{} does", last)
                          : fmt::format("CPython 3.{} to 3.{} do", *first, last);
}

// Through python3.dll a module reaches the names of the stable ABI and no other.
bool comes_through_python3_dll(const Image& image, std::string_view name) {
    return std::any_of(image.imports.begin(), image.imports.end(), [&](const Import& import) {
        const auto dll = parse_python_dll(import.library);
        return import.name == name && dll && !dll->version;
    });
}

Finding finding(Severity severity, std::string message, std::string fix, const PythonSymbol& symbol) {
    return make_finding(rule::not_stable_abi, severity,
                        {std::move(message), std::move(fix), std::string(symbol.name())});
}

Finding unstable(const Image& image, const PythonSymbol& symbol, const Expectations& expected) {
    const std::string_view name = symbol.name();
    const std::string_view instead = related_python_name(name, [&](const PythonSymbol& other) {
        return other.stable_since() && (!expected.python || *other.stable_since() <= expected.python->version.minor);
    });
    const std::string fix = instead.empty() ? "use a function of the limited API, or build one module for each CPython"
                                            : fmt::format("use {}, or build one module for each CPython", instead);
    std::string message = fmt::format("{} is not in the stable ABI", name);
    if (image.format == Format::pe && comes_through_python3_dll(image, name)) {
        return finding(Severity::error, message + ", so python3.dll does not have it", fix, symbol);
    }
    if (!expected.python) {
        return finding(Severity::warning, std::move(message), fix, symbol);
    }
    const unsigned floor = expected.python->version.minor;
    if (const std::string versions = lacking(symbol, image, floor); !versions.empty()) {
        return finding(Severity::error, fmt::format("{}, and {} not have it", message, versions), fix, symbol);
    }
    return finding(Severity::warning,
                   fmt::format("{}: every CPython from 3.{} to 3.{} happens to have it, a later one may not", message,
                               std::max(floor, oldest_known_minor), newest_known_minor),
                   fix, symbol);
}

Finding too_young(const Image& image, const PythonSymbol& symbol, unsigned floor, unsigned since) {
    const std::string message = fmt::format("{} came into the stable ABI with CPython 3.{}; this module promises 3.{}",
                                            symbol.name(), since, floor);
    const std::string fix = fmt::format(
        "promise CPython 3.{} and later instead (py-limited-api = \"3.{}\"), or use "
        "what 3.{} has",
        since, since, floor);
    const std::string versions = lacking(symbol, image, floor);
    if (image.format == Format::pe || !versions.empty()) {
        const std::string why = versions.empty() ? fmt::format("python3.dll of CPython 3.{} does", floor) : versions;
        return finding(Severity::error, fmt::format("{}, and {} not have it", message, why), fix, symbol);
    }
    return finding(Severity::warning,
                   fmt::format("{}, and CPython 3.{} happens to have it outside the stable ABI", message, floor), fix,
                   symbol);
}

}  // namespace

std::optional<Finding> check_stable_name(const Image& image, const PythonSymbol& symbol, const Expectations& expected) {
    const std::string_view name = symbol.name();
    const Abi abi = expected.python ? expected.python->abi : expected.unversioned_abi.value_or(Abi::abi3);
    const bool is_unusable =
        std::find(unusable_in_abi3t.begin(), unusable_in_abi3t.end(), name) != unusable_in_abi3t.end();
    if (abi == Abi::abi3t && is_unusable) {
        return finding(
            Severity::error, fmt::format("{} cannot be used in an abi3t module: PyModuleDef is opaque there", name),
            fmt::format("export PyModExport_{} instead of PyInit_{}", leaf_name(expected), leaf_name(expected)),
            symbol);
    }
    const std::optional<unsigned> since = symbol.stable_since();
    if (!since) {
        return unstable(image, symbol, expected);
    }
    if (!expected.python) {
        return std::nullopt;
    }
    const unsigned floor = expected.python->version.minor;
    if (*since > floor) {
        return too_young(image, symbol, floor, *since);
    }
    // Conditional names: PyErr_SetFromWindowsErr is stable, on Windows.
    if (const std::string versions = lacking(symbol, image, floor); !versions.empty()) {
        return finding(
            Severity::error,
            fmt::format("{} is in the stable ABI, but not of every build, and {} not have it here", name, versions),
            "leave it out, or look it up when the module runs", symbol);
    }
    return std::nullopt;
}

}  // namespace nasm_build::inspect
