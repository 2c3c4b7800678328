// The entry point: the function that CPython finds by name, calls, and without which an import fails.
//
// PEP 489 (PyInit_, PyInitU_) and PEP 793 (PyModExport_, which CPython 3.15 and later look for first).
#include <fmt/core.h>

#include <algorithm>

#include "base/text.hpp"
#include "inspect/rules/entry_names.hpp"
#include "inspect/rules/python_names.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

constexpr toolchain::PythonVersion first_with_module_export{3, 15};

const Export* find_export(const Image& image, std::string_view name) {
    const auto found =
        std::find_if(image.exports.begin(), image.exports.end(), [&](const Export& one) { return one.name == name; });
    return found == image.exports.end() ? nullptr : &*found;
}

std::string how_to_export(Format format, std::string_view name) {
    switch (format) {
        case Format::elf:
            return fmt::format("write `global {}:function` before its label", name);
        case Format::macho:
            return fmt::format("write `global {}` before its label", name);
        case Format::pe:
            break;
    }
    return fmt::format("write `global {0}` before its label, and link with /export:{0}", name);
}

// A name that is there with one thing wrong about its prefix, its case, or its alphabet.
std::string wrong_form(const Image& image, const EntryNames& names, std::string_view leaf) {
    if (find_export(image, "_" + names.init) != nullptr) {
        return "_" + names.init;
    }
    const std::string raw = "PyInit_" + std::string(leaf);
    return !names.is_ascii && find_export(image, raw) != nullptr ? raw : std::string();
}

Finding wrong_form_finding(const Image& image, const EntryNames& names, const std::string& there) {
    if (there.front() != '_') {
        return make_finding(
            rule::entry_missing,
            {fmt::format("exports {}, but for a name that is not ASCII CPython looks for {}", there, names.init),
             fmt::format("spell it {} in the source", names.init), names.init});
    }
    return make_finding(
        rule::entry_missing,
        {fmt::format("exports {} with one underscore too many: CPython looks for {}", there, names.init),
         image.format == Format::macho ? fmt::format("spell it {} in the source, without `_`", names.init)
                                       : "assemble without `--prefix _`: only macOS puts an underscore before names",
         names.init});
}

// The name in the source of a C++ function, whose symbol the Itanium ABI writes as `_Z`, the length, the name, the parameters;
// empty for another symbol.
std::string_view name_in_cpp(std::string_view symbol) {
    if (!symbol.starts_with("_Z")) {
        return {};
    }
    symbol.remove_prefix(2);
    std::size_t length = 0;
    while (!symbol.empty() && symbol.front() >= '0' && symbol.front() <= '9' && length < symbol.size()) {
        length = length * 10 + static_cast<std::size_t>(symbol.front() - '0');
        symbol.remove_prefix(1);
    }
    return length <= symbol.size() ? symbol.substr(0, length) : std::string_view();
}

// The entry point as C++ names it without `extern "C"`, exported or not: version scripts hide it with all other names.
std::string mangled_entry(const Image& image, const EntryNames& names) {
    const auto is_meant = [&](const auto& one) {
        const std::string_view name = name_in_cpp(one.name);
        return name == names.init || name == names.module_export;
    };
    if (const auto found = std::find_if(image.exports.begin(), image.exports.end(), is_meant);
        found != image.exports.end()) {
        return found->name;
    }
    const auto found = std::find_if(image.hidden.begin(), image.hidden.end(), is_meant);
    return found == image.hidden.end() ? std::string() : found->name;
}

Finding mangled_finding(const std::string& there) {
    const std::string name(name_in_cpp(there));
    return make_finding(
        rule::entry_missing,
        {fmt::format("has {0} as C++ names it, {1}, and CPython looks for {0}", name, there),
         fmt::format("write PyMODINIT_FUNC {}(void), or `extern \"C\"` before the function", name), there});
}

std::vector<std::string> entry_like_names(const Image& image) {
    std::vector<std::string> names;
    for (const Export& one : image.exports) {
        if (is_entry_name(one.name)) {
            names.push_back(one.name);
        }
    }
    return names;
}

// The export that was most likely meant: any whose name is near. A library may have hundreds of thousands of exports,
// and measuring each would take seconds, so only names with `init` or `export` in them count.
std::string near_export(const Image& image, const EntryNames& names) {
    std::vector<std::string_view> candidates;
    for (const Export& one : image.exports) {
        const bool is_likely = one.name.find("nit") != std::string::npos || one.name.find("NIT") != std::string::npos ||
                               one.name.find("xport") != std::string::npos;
        if (is_likely && one.name.size() < names.init.size() + 8) {
            candidates.push_back(one.name);
        }
    }
    std::string_view best = nearest(names.init, candidates);
    if (best.empty()) {
        best = nearest(names.module_export, candidates);
    }
    return std::string(best);
}

Finding misspelt(const EntryNames& names, std::string_view leaf, const std::string& there) {
    const bool is_export_hook = there.starts_with("PyModExport");
    const std::string& wanted = is_export_hook ? names.module_export : names.init;
    const std::string_view other = module_of_entry(there);
    return make_finding(
        rule::entry_missing,
        {fmt::format("exports {}, not {}: CPython finds no entry point for a module named {}", there, wanted, leaf),
         other.empty() || !names.is_ascii
             ? fmt::format("spell it {} in the source", wanted)
             : fmt::format("spell it {} in the source, or name the module {}", wanted, other),
         there});
}

// A library for ctypes or cffi under a module's suffix (pycryptodome's are): other functions to call, none of Python's
// needed, and no trace of an entry point. No import is meant to find it.
bool is_for_ctypes(const Image& image) {
    return !image.exports.empty() && python_imports(image).empty() && !looks_like_module(image);
}

// PE: what is exported without a name, `#1 and #2`; empty when nothing is.
std::string exported_by_number(const Image& image) {
    std::vector<std::string> numbers;
    for (const HiddenSymbol& symbol : image.hidden) {
        if (symbol.why == HiddenBecause::ordinal_only) {
            numbers.push_back(symbol.name);
        }
    }
    return list_of(numbers);
}

Finding without_entry(const Image& image, const Expectations& expected, const EntryNames& names) {
    const std::string_view leaf = leaf_name(expected);
    if (const std::string there = wrong_form(image, names, leaf); !there.empty()) {
        return wrong_form_finding(image, names, there);
    }
    if (const std::string there = mangled_entry(image, names); !there.empty()) {
        return mangled_finding(there);
    }
    if (expected.is_package && find_export(image, "PyInit___init__") != nullptr) {
        return make_finding(rule::entry_missing,
                            {fmt::format("exports PyInit___init__, but a package's own module is named after the "
                                         "package: CPython looks for {}",
                                         names.init),
                             fmt::format("spell it {} in the source", names.init), "PyInit___init__"});
    }
    if (find_export(image, "init" + std::string(leaf)) != nullptr) {
        return make_finding(
            rule::entry_missing,
            {fmt::format("exports init{}, which Python 2 looked for; CPython 3 looks for {}", leaf, names.init),
             fmt::format("spell it {} in the source, and return the module from it", names.init),
             fmt::format("init{}", leaf)});
    }
    const bool is_imported = std::any_of(image.imports.begin(), image.imports.end(),
                                         [&](const Import& one) { return one.name == names.init; });
    if (is_imported) {
        return make_finding(
            rule::entry_missing,
            {fmt::format("refers to {0}, but no object that was linked defines it", names.init),
             fmt::format("put a label `{}:` before the function's first instruction", names.init), names.init});
    }
    if (const std::string there = near_export(image, names); !there.empty()) {
        return misspelt(names, leaf, there);
    }
    const std::vector<std::string> others = entry_like_names(image);
    if (!others.empty()) {
        return make_finding(rule::entry_missing,
                            {fmt::format("exports {}, not {}: CPython finds no entry point for a module named {}",
                                         list_of(others), names.init, leaf),
                             others.size() == 1 ? fmt::format("name the module {}, or export {}",
                                                              module_of_entry(others.front()), names.init)
                                                : fmt::format("export {} as well", names.init),
                             others.front()});
    }
    if (is_for_ctypes(image)) {
        return make_finding(rule::entry_missing, Severity::warning,
                            {fmt::format("has no entry point and uses nothing of Python: ctypes and cffi can load it, "
                                         "`import {}` fails",
                                         leaf),
                             how_to_export(image.format, names.init), names.init});
    }
    if (const std::string numbers = exported_by_number(image); !numbers.empty()) {
        return make_finding(rule::entry_hidden, {fmt::format("exports {} by number alone, and CPython looks for {} by "
                                                             "name",
                                                             numbers, names.init),
                                                 fmt::format("link with /export:{}", names.init), names.init});
    }
    return make_finding(
        rule::entry_missing,
        {fmt::format("has no entry point: CPython looks for {}, and nothing of that name is exported", names.init),
         how_to_export(image.format, names.init), names.init});
}

Finding hidden_finding(const Image& image, const HiddenSymbol& symbol, const std::string& name) {
    switch (symbol.why) {
        case HiddenBecause::local:
            return make_finding(rule::entry_hidden, {fmt::format("{} is in the file, but not exported: it was never "
                                                                 "declared global",
                                                                 name),
                                                     how_to_export(image.format, name), name});
        case HiddenBecause::visibility:
            return make_finding(
                rule::entry_hidden,
                {fmt::format("{} is in the file, but not exported: its visibility is hidden, or the linker was told "
                             "to keep it local",
                             name),
                 image.format == Format::elf
                     ? fmt::format("write `global {0}:function` without `hidden`, and name it in the version script if "
                                   "there is one: `global: {0};`",
                                   name)
                     : fmt::format("write `global {0}` without `private_extern`, and add `_{0}` to the list of "
                                   "exported symbols if there is one",
                                   name),
                 name});
        case HiddenBecause::missing_underscore:
            return make_finding(
                rule::entry_hidden,
                {fmt::format("{0} has no underscore before it: on macOS CPython finds the function as _{0}", name),
                 "assemble with `--prefix _`", name});
        case HiddenBecause::ordinal_only:
            break;  // such an export has a number for a name
    }
    return make_finding(rule::entry_hidden, {fmt::format("{} is in the file, but not exported by its name", name),
                                             how_to_export(image.format, name), name});
}

Verdict check_found(const Image& image, const Export& entry) {
    Verdict verdict;
    const auto say = [&](std::string message, std::string fix) {
        verdict.findings.push_back(
            make_finding(rule::entry_not_code, {std::move(message), std::move(fix), entry.name}));
    };
    if (!entry.forwarded_to.empty()) {
        say(fmt::format("{} is exported, but forwarded to {}: the function is in another DLL", entry.name,
                        entry.forwarded_to),
            fmt::format("define {} in this module", entry.name));
        return verdict;
    }
    const bool is_data = entry.kind == SymbolKind::object || entry.kind == SymbolKind::thread_local_object;
    if (entry.kind == SymbolKind::thread_local_object || !is_executable(image, entry.address)) {
        const std::string place = section_name(image, entry.address);
        say(fmt::format("{} is exported, but lies in {}, which is not executable", entry.name,
                        place.empty() ? "memory" : place),
            fmt::format("put `section .text` before the label {}", entry.name));
    } else if (image.format == Format::elf && entry.kind == SymbolKind::untyped) {
        verdict.findings.push_back(make_finding(
            rule::entry_untyped,
            {fmt::format("{} has no type: auditwheel takes the module for a library without Python in it", entry.name),
             fmt::format("write `global {}:function` before its label", entry.name), entry.name}));
    } else if (is_data) {
        verdict.findings.push_back(
            make_finding(rule::entry_not_code, Severity::warning,
                         {fmt::format("{} is exported as data, not as a function", entry.name),
                          fmt::format("write `global {}:function` before its label", entry.name), entry.name}));
    }
    return verdict;
}

// CPython loads several modules from one file for an importer that asks for each by name (PEP 489, Multiple modules in one
// library); the usual import asks for the one that the file is called.
void check_others(Verdict& verdict, const Image& image, const EntryNames& names) {
    std::vector<std::string> others = entry_like_names(image);
    std::erase_if(others, [&](const std::string& one) { return one == names.init || one == names.module_export; });
    if (others.empty()) {
        return;
    }
    std::sort(others.begin(), others.end());
    verdict.findings.push_back(make_finding(
        rule::several_entry_points,
        {fmt::format("exports {} besides its own entry point: `import` looks for a file of each module's name and does "
                     "not find {} here",
                     list_of(others), others.size() == 1 ? "that one" : "those"),
         "build a file for each module, or keep an importer that asks this file for each by name (PEP 489)",
         others.front()}));
}

}  // namespace

bool looks_like_module(const Image& image) {
    return std::any_of(image.exports.begin(), image.exports.end(),
                       [](const Export& one) { return is_entry_name(one.name); }) ||
           std::any_of(image.hidden.begin(), image.hidden.end(),
                       [](const HiddenSymbol& one) { return is_entry_name(one.name); });
}

Verdict check_entry(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (!expected.is_extension_module || expected.module_name.empty()) {
        return verdict;
    }
    if (!expected.other_implementation.empty()) {
        verdict.not_checked.push_back(
            {std::string(rule::entry_missing), fmt::format("the module is for {}", expected.other_implementation)});
        return verdict;
    }
    const EntryNames names = entry_names(leaf_name(expected));
    const Export* const init = find_export(image, names.init);
    const Export* const module_export = find_export(image, names.module_export);
    if (init != nullptr || module_export != nullptr) {
        const bool is_too_new =
            init == nullptr && expected.python && expected.python->version < first_with_module_export;
        if (is_too_new) {
            verdict.findings.push_back(make_finding(
                rule::entry_too_new,
                {fmt::format("exports only {}, which CPython 3.15 and later look for; this module is for {}",
                             names.module_export, audience(expected)),
                 fmt::format("export {} as well, or build for CPython 3.15 and later", names.init),
                 names.module_export}));
        }
        for (const Export* const entry : {init, module_export}) {
            if (entry != nullptr) {
                Verdict one = check_found(image, *entry);
                verdict.findings.insert(verdict.findings.end(), one.findings.begin(), one.findings.end());
            }
        }
        check_others(verdict, image, names);
        return verdict;
    }
    const auto hidden = std::find_if(image.hidden.begin(), image.hidden.end(), [&](const HiddenSymbol& one) {
        return one.name == names.init || one.name == names.module_export;
    });
    verdict.findings.push_back(hidden != image.hidden.end() ? hidden_finding(image, *hidden, hidden->name)
                                                            : without_entry(image, expected, names));
    return verdict;
}

}  // namespace nasm_build::inspect
