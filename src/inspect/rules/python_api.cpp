// The symbols that a module needs of CPython: spelt right, there in the CPython it is built for, and in the stable ABI
// where that is promised (PEP 384, PEP 803).
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "inspect/rules/python_names.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/stable_abi.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::Abi;
using toolchain::PythonBuild;

// Looking for what was meant costs milliseconds a name; a module with more unknown names than this is not misspelt.
constexpr std::size_t most_suggestions = 20;

// With a library that could have any name (PySide6's modules take PyDateTime_Get from one) an unknown name says nothing;
// one that is nearly CPython's is still worth a warning.
std::optional<Finding> unknown_finding(const Image& image, const std::string& name, bool suggest) {
    const bool may_be_elsewhere = other_library_may_have(image);
    const std::string_view meant = suggest ? meant_python_name(name) : std::string_view();
    if (!meant.empty()) {
        return make_finding(
            rule::python_symbol_unknown, may_be_elsewhere ? Severity::warning : Severity::error,
            {fmt::format("no CPython has {}; did you mean {}?", name, meant), fmt::format("spell it {}", meant), name});
    }
    if (may_be_elsewhere) {
        return std::nullopt;
    }
    return make_finding(
        rule::python_symbol_unknown,
        {fmt::format("no CPython from 3.{} to 3.{} has {}", oldest_known_minor, newest_known_minor, name),
         "use a name that CPython's C API has, or link the library that has this one", name});
}

struct Lifetime {
    std::optional<unsigned> first;
    std::optional<unsigned> last;
};

Lifetime lifetime(const PythonSymbol& symbol, PythonExports python) {
    Lifetime life;
    for (python.minor = oldest_known_minor; python.minor <= newest_known_minor; ++python.minor) {
        if (symbol.exported_by(python)) {
            life.first = life.first.value_or(python.minor);
            life.last = python.minor;
        }
    }
    return life;
}

// Which other build of the same version has the name, in words; empty when none has.
std::string other_build(const PythonSymbol& symbol, const PythonExports& python) {
    PythonExports other = python;
    other.free_threaded = true;
    if (symbol.exported_by(other)) {
        return fmt::format("only the free-threaded build of CPython 3.{} has {}", python.minor, symbol.name());
    }
    other = python;
    other.debug = true;
    if (symbol.exported_by(other)) {
        return fmt::format("only debug builds of CPython 3.{} have {}", python.minor, symbol.name());
    }
    for (const auto& [platform, words] :
         {std::pair{PythonPlatform::linux_like, "Linux"}, std::pair{PythonPlatform::macos, "macOS"},
          std::pair{PythonPlatform::windows, "Windows"}}) {
        other = python;
        other.platform = platform;
        if (symbol.exported_by(other)) {
            return fmt::format("CPython 3.{} has {} on {}, not on this platform", python.minor, symbol.name(), words);
        }
    }
    return {};
}

Finding missing_finding(const PythonSymbol& symbol, const PythonExports& python, const Expectations& expected) {
    const std::string name(symbol.name());
    const std::string reader = audience(expected);
    const std::string_view instead =
        related_python_name(name, [&](const PythonSymbol& other) { return other.exported_by(python); });
    std::string message = other_build(symbol, python);
    std::string fix = fmt::format("use what {} has", reader);
    if (message.empty()) {
        const Lifetime life = lifetime(symbol, python);
        if (life.first && *life.first > python.minor) {
            message = fmt::format("{} came with CPython 3.{}; this module is for {}", name, *life.first, reader);
            fix += fmt::format(", or build for CPython 3.{} and later", *life.first);
        } else if (life.last && *life.last < python.minor) {
            message =
                fmt::format("{} was removed in CPython 3.{}; this module is for {}", name, *life.last + 1, reader);
        } else {
            message = fmt::format("{} does not have {}", reader, name);
        }
    }
    if (!instead.empty()) {
        fix = fmt::format("use {}, which {} has", instead, reader);
    }
    return make_finding(rule::python_symbol_missing, {std::move(message), std::move(fix), name});
}

// The build whose exports the module must find, or why there is no list of them.
struct Exports {
    std::optional<PythonExports> python;
    std::string reason;
};

Exports known_exports(const Image& image, const Expectations& expected) {
    if (!expected.python) {
        return {std::nullopt, "nobody said which CPython the module is for (give --python, or --abi3)"};
    }
    const PythonBuild& build = *expected.python;
    const unsigned minor = build.version.minor;
    if (build.version.major != 3 || minor > newest_known_minor ||
        (build.abi == Abi::version_specific && minor < oldest_known_minor)) {
        return {std::nullopt, fmt::format("there is no list of the names that CPython {} exports",
                                          toolchain::to_string(build.version))};
    }
    return {PythonExports{minor, python_platform(image), build.free_threaded, build.debug}, {}};
}

bool is_newer_than_the_table(const Expectations& expected) {
    return expected.python && expected.python->version > toolchain::PythonVersion{3, newest_known_minor};
}

// What macros and inline functions of Python.h call: Py_DECREF of free-threaded and debug builds, PyUnicode_READY, vectorcall.
bool is_the_headers(std::string_view name) noexcept {
    static constexpr auto names = std::to_array<std::string_view>(
        {"_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_DECREF_DecRefTotal", "_Py_INCREF_IncRefTotal",
         "_Py_MergeZeroLocalRefcount", "_Py_NegativeRefcount", "_Py_RefTotal", "_PyUnicode_Ready",
         "_PyObject_MakeTpCall", "_Py_CheckFunctionResult"});
    return std::find(names.begin(), names.end(), name) != names.end();
}

// One note for all of them. A stable ABI that is promised makes each an error of its own, and so does one that is not there.
void check_private_names(Verdict& verdict, const std::vector<const Import*>& imports,
                         const std::optional<PythonExports>& python) {
    std::vector<std::string> names;
    for (const Import* const import : imports) {
        const auto symbol = find_python_symbol(import->name);
        if (import->name.starts_with("_Py") && symbol && !symbol->stable_since() && !is_the_headers(import->name) &&
            (!python || symbol->exported_by(*python))) {
            names.push_back(import->name);
        }
    }
    if (names.empty()) {
        return;
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    verdict.findings.push_back(
        make_finding(rule::private_names,
                     {fmt::format("needs {} of CPython, which any release may change: {}",
                                  names.size() == 1 ? "a private name" : fmt::format("{} private names", names.size()),
                                  list_of(names)),
                      "use the public functions that do the same", names.front()}));
}

}  // namespace

Verdict check_python_api(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (!expected.other_implementation.empty()) {
        verdict.not_checked.push_back({std::string(rule::python_symbol_missing),
                                       fmt::format("the module is for {}", expected.other_implementation)});
        return verdict;
    }
    const std::vector<const Import*> imports = python_imports(image);
    if (imports.empty()) {
        return verdict;
    }
    const Exports exports = known_exports(image, expected);
    const bool is_stable =
        expected.unversioned_abi || (expected.python && expected.python->abi != Abi::version_specific);
    if (!exports.python) {
        verdict.not_checked.push_back({std::string(rule::python_symbol_missing), exports.reason});
    }
    std::size_t suggestions = 0;
    for (const Import* const import : imports) {
        const std::optional<PythonSymbol> symbol = find_python_symbol(import->name);
        if (!symbol) {
            if (!is_newer_than_the_table(expected)) {
                auto finding = unknown_finding(image, import->name, suggestions++ < most_suggestions);
                if (finding) {
                    verdict.findings.push_back(std::move(*finding));
                }
            }
            continue;
        }
        if (is_stable) {
            if (auto finding = check_stable_name(image, *symbol, expected)) {
                verdict.findings.push_back(std::move(*finding));
            }
        } else if (exports.python && !symbol->exported_by(*exports.python)) {
            verdict.findings.push_back(missing_finding(*symbol, *exports.python, expected));
        }
    }
    if (!is_stable) {
        check_private_names(verdict, imports, exports.python);
    }
    return verdict;
}

}  // namespace nasm_build::inspect
