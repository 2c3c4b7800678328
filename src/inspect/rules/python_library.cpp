// Python's own library: not linked where the interpreter brings its symbols itself (Linux, macOS), the right DLL where a
// symbol must name one (Windows).
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "inspect/rules/libraries.hpp"
#include "inspect/rules/python_names.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::Abi;
using toolchain::PythonBuild;

// Severity: with another version's or build's library two interpreters meet in one process, and a tag that promises other machines
// promises those whose CPython is static and has no libpython. Otherwise it works where that library is found.
void check_libpython(Verdict& verdict, const Library& library, const Expectations& expected) {
    const std::string name(base_name(library.name));
    const auto build = libpython_build(library.name);
    const std::string fix =
        "link without it: leave out -lpython (python3-config --ldflags --embed adds it); the "
        "interpreter brings the symbols";
    const bool is_for_one = expected.python && expected.python->abi == Abi::version_specific;
    if (build && expected.python && !(is_for_one && *build == *expected.python)) {
        verdict.findings.push_back(
            make_finding(rule::libpython_linked, Severity::error,
                         {fmt::format("is linked with {} of CPython {}, but {} {}", name, toolchain::to_string(*build),
                                      is_for_one ? "is for" : "promises", audience(expected)),
                          fix}));
    } else if (expected.promised_elsewhere) {
        verdict.findings.push_back(make_finding(
            rule::libpython_linked, Severity::error,
            {fmt::format("is linked with {}, which a CPython that is linked statically does not have", name), fix}));
    } else {
        verdict.findings.push_back(make_finding(
            rule::libpython_linked, {fmt::format("is linked with {}, which not every CPython has", name), fix}));
    }
}

std::string right_dll(const PythonBuild& build) {
    const char* threads = build.free_threaded || build.abi == Abi::abi3t ? "t" : "";
    const char* debug = build.debug ? "_d" : "";
    if (build.abi != Abi::version_specific) {
        return fmt::format("python3{}{}.dll", threads, debug);
    }
    return fmt::format("python{}{}{}{}.dll", build.version.major, build.version.minor, threads, debug);
}

// A module for one version may take its symbols from the stable ABI's DLL as well: it forwards to the same interpreter.
bool is_right(const PythonDll& dll, const PythonBuild& build) {
    const bool threads = build.free_threaded || build.abi == Abi::abi3t;
    if (dll.free_threaded != threads || dll.debug != build.debug) {
        return false;
    }
    return !dll.version || (build.abi == Abi::version_specific && *dll.version == build.version);
}

std::string symbols_from(const Image& image, std::string_view library) {
    std::vector<std::string> names;
    for (const Import& import : image.imports) {
        if (import.library == library) {
            names.push_back(import.name);
        }
    }
    std::sort(names.begin(), names.end());
    return list_of(names, 3);
}

// The Pythons of MSYS2 and Cygwin name their DLLs like the libraries of Unix.
bool is_msys_dll(std::string_view library) {
    const std::string_view name = base_name(library);
    return (name.starts_with("libpython") || name.starts_with("msys-python") || name.starts_with("cygpython")) &&
           name.ends_with(".dll");
}

void check_dlls(Verdict& verdict, const Image& image, const Expectations& expected) {
    std::set<toolchain::PythonVersion> versions;
    const auto say = [&](const std::string& library, std::string message, std::string fix) {
        const auto first = std::find_if(image.imports.begin(), image.imports.end(),
                                        [&](const Import& import) { return import.library == library; });
        verdict.findings.push_back(make_finding(
            rule::wrong_python_dll,
            {std::move(message), std::move(fix), first == image.imports.end() ? std::string() : first->name}));
    };
    for (const Library& library : image.libraries) {
        if (is_msys_dll(library.name)) {
            say(library.name,
                fmt::format("imports {} from {}, which is not a DLL of CPython for Windows",
                            symbols_from(image, library.name), library.name),
                "link with the import library of CPython for Windows (pythonXY.lib)");
            continue;
        }
        const auto dll = parse_python_dll(library.name);
        if (!dll) {
            continue;
        }
        if (dll->version) {
            versions.insert(*dll->version);
        }
        if (expected.python && !is_right(*dll, *expected.python)) {
            say(library.name,
                fmt::format("imports {} from {}, not from {} as a module for {} must",
                            symbols_from(image, library.name), library.name, right_dll(*expected.python),
                            audience(expected)),
                fmt::format("link with the import library of {}", right_dll(*expected.python)));
        }
    }
    if (!expected.python && versions.size() > 1) {
        verdict.findings.push_back(make_finding(
            rule::wrong_python_dll,
            {fmt::format("imports from the DLLs of CPython {} and of CPython {} at once",
                         toolchain::to_string(*versions.begin()), toolchain::to_string(*versions.rbegin())),
             "link with the import library of one of them"}));
    }
}

// A name that only Python has, bound to a library that is not Python's: the wrong import library was linked.
void check_foreign_dlls(Verdict& verdict, const Image& image) {
    for (const Import& import : image.imports) {
        const bool is_foreign = !import.library.empty() && !parse_python_dll(import.library) &&
                                is_system_library(Format::pe, import.library);
        if (is_foreign && find_python_symbol(import.name)) {
            verdict.findings.push_back(make_finding(
                rule::wrong_python_dll,
                {fmt::format("imports {} from {}, which is not a DLL of CPython", import.name, import.library),
                 "link with the import library of CPython for Windows "
                 "(pythonXY.lib)",
                 import.name}));
        }
    }
}

// The names of CPython's pylifecycle.c that nothing but an interpreter defines.
constexpr auto interpreter_names =
    std::to_array<std::string_view>({"_PyRuntime", "Py_Initialize", "Py_InitializeFromConfig"});

void check_embedded(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (!expected.is_extension_module) {
        return;
    }
    const auto is_one = [](std::string_view name) {
        return std::find(interpreter_names.begin(), interpreter_names.end(), name) != interpreter_names.end();
    };
    std::set<std::string> names;
    for (const Export& one : image.exports) {
        if (is_one(one.name) && !one.weak && one.forwarded_to.empty()) {
            names.insert(one.name);
        }
    }
    for (const HiddenSymbol& one : image.hidden) {
        if (is_one(one.name)) {
            names.insert(one.name);
        }
    }
    if (!names.empty()) {
        const std::vector<std::string> all(names.begin(), names.end());
        verdict.findings.push_back(make_finding(
            rule::embedded_python,
            {fmt::format("defines {} itself: an interpreter is linked into it, beside the one that imports it",
                         list_of(all)),
             "link without libpython's static library (leave out -lpython); the interpreter brings the symbols",
             all.front()}));
    }
}

}  // namespace

Verdict check_python_library(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (!expected.other_implementation.empty()) {
        return verdict;
    }
    check_embedded(verdict, image, expected);
    if (image.format == Format::pe) {
        const bool is_for_msys = !expected.targets.empty() && !expected.targets.front().name.starts_with("win");
        if (is_for_msys) {
            verdict.not_checked.push_back(
                {std::string(rule::wrong_python_dll),
                 fmt::format("the names of the DLLs of {} are not known", describe(expected.targets.front()))});
            return verdict;
        }
        check_dlls(verdict, image, expected);
        check_foreign_dlls(verdict, image);
        return verdict;
    }
    for (const Library& library : image.libraries) {
        if (is_libpython(library.name)) {
            check_libpython(verdict, library, expected);
        }
    }
    return verdict;
}

}  // namespace nasm_build::inspect
