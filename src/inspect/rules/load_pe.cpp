// What Windows' loader refuses or only lets through by luck: relocations that were taken away, C runtimes that a plain
// machine lacks, libraries that are looked for at the first call.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "inspect/rules/libraries.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

// Windows moves a DLL by its base relocations, always under address space randomisation and otherwise when the place it asks
// for is taken. Stripped ones make the loader refuse to move it (STATUS_CONFLICTING_ADDRESSES); a table that is merely absent
// is taken for "nothing to mend", and pointers in the data are then wrong.
void check_relocations(Verdict& verdict, const Image& image) {
    const PeLoading& pe = image.pe;
    if (pe.relocations_stripped) {
        verdict.findings.push_back(make_finding(
            rule::relocations_stripped,
            {"can be loaded at the address that it asks for alone, because its relocations were stripped: where that is "
             "taken, Windows refuses it",
             "link it without /fixed, and strip nothing from it afterwards"}));
        return;
    }
    if (pe.has_relocations || pe.own_addresses == 0) {
        return;
    }
    const bool is_one = pe.own_addresses == 1;
    verdict.findings.push_back(make_finding(
        rule::relocations_stripped, pe.dynamic_base ? Severity::error : Severity::warning,
        {fmt::format(
             "holds {} in its data and has no base relocations: {}, and {}",
             is_one ? "an address of its own" : fmt::format("{} addresses of its own", pe.own_addresses),
             pe.dynamic_base ? "Windows loads it at a random address" : "Windows moves it where its address is taken",
             is_one ? "that one stays as it was" : "those stay as they were"),
         "keep its section .reloc: link and strip it without removing relocations"}));
}

enum class Runtime : std::uint8_t { present, debug, redistributable, mingw };

// Visual C++'s libraries by the beginning of their names. What follows it is a version and, in debug builds, a `d`.
constexpr auto visual_c = std::to_array<std::string_view>(
    {"msvcr", "msvcp", "vcruntime", "vcomp", "concrt", "vccorlib", "vcamp", "mfc", "atl"});

// The runtimes of MinGW-w64 and Cygwin: no installer puts them where the loader looks.
constexpr auto mingw_runtimes = std::to_array<std::string_view>(
    {"libgcc_s_", "libstdc++-", "libwinpthread-", "libgomp-", "libgfortran-", "libquadmath-", "libssp-", "libatomic-",
     "libc++.dll", "libunwind.dll", "cygwin1.dll", "msys-2.0.dll"});

bool begins_with_one_of(std::string_view name, std::span<const std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view beginning) { return name.starts_with(beginning); });
}

// `100`, `140`, `140_1`, `140_atomic_wait`: what stands between a library's name and `.dll`. Tools that bring a library
// along put a hash there, `-0fc8f1a2…`: then it is no longer the system's.
bool is_versioned(std::string_view rest) {
    return !rest.empty() && rest.front() >= '0' && rest.front() <= '9' && rest.find('-') == std::string_view::npos;
}

Runtime runtime_of(const std::string& name, const Expectations& expected) {
    if (name == "ucrtbased.dll" || name == "msvcrtd.dll") {
        return Runtime::debug;
    }
    if (begins_with_one_of(name, mingw_runtimes)) {
        return Runtime::mingw;
    }
    // What CPython's installers put beside python.exe: vcruntime140_1.dll since 3.8.
    constexpr toolchain::PythonVersion first_with_second_runtime{3, 8};
    const bool has_second = !expected.python || expected.python->version >= first_with_second_runtime;
    if (name == "vcruntime140.dll" || (name == "vcruntime140_1.dll" && has_second)) {
        return Runtime::present;
    }
    for (const std::string_view beginning : visual_c) {
        constexpr std::string_view suffix = ".dll";
        if (!name.starts_with(beginning) || !name.ends_with(suffix)) {
            continue;
        }
        std::string_view rest = name;
        rest.remove_prefix(beginning.size());
        rest.remove_suffix(suffix.size());
        if (is_versioned(rest)) {
            return rest.ends_with('d') ? Runtime::debug : Runtime::redistributable;
        }
    }
    return Runtime::present;
}

bool is_bundled(const std::string& name, const Expectations& expected) {
    return expected.wheel != nullptr && std::any_of(expected.wheel->binaries.begin(), expected.wheel->binaries.end(),
                                                    [&](const std::string& one) { return lower(one) == name; });
}

// A debug CPython brings the debug runtime by being there at all.
bool is_for_debug_python(const Image& image, const Expectations& expected) {
    return (expected.python && expected.python->debug) ||
           std::any_of(image.libraries.begin(), image.libraries.end(), [](const Library& library) {
               const std::optional<PythonDll> dll = parse_python_dll(library.name);
               return dll && dll->debug;
           });
}

bool is_for_mingw(const Expectations& expected) {
    return std::any_of(expected.targets.begin(), expected.targets.end(), [](const toolchain::Target& target) {
        return target.name.starts_with("mingw") || target.name.starts_with("msys") || target.name.starts_with("cygwin");
    });
}

// The wheel of another distribution that is required may have loaded the library before the import.
Finding without_mingw(const std::vector<std::string>& names, const Expectations& expected) {
    const bool is_wheel = expected.wheel != nullptr;
    const bool has_others = is_wheel && expected.wheel->has_dependencies;
    const std::string_view rest = !is_wheel    ? ": it must come with the module"
                                  : has_others ? ", and the wheel does not bring: one that it requires must"
                                               : ", and the wheel does not bring";
    return make_finding(rule::c_runtime_missing, is_wheel && !has_others ? Severity::error : Severity::warning,
                        {fmt::format("needs {}, which neither Windows nor CPython has{}", list_of(names), rest),
                         "link with -static, or let delvewheel put it into the wheel"});
}

void check_runtimes(Verdict& verdict, const Image& image, const Expectations& expected) {
    std::vector<std::string> debug;
    std::vector<std::string> redistributable;
    std::vector<std::string> mingw;
    for (const Library& library : image.libraries) {
        const std::string name = lower(base_name(library.name));
        if (library.delayed || is_bundled(name, expected)) {
            continue;
        }
        const Runtime runtime = runtime_of(name, expected);
        if (runtime == Runtime::debug && !is_for_debug_python(image, expected)) {
            debug.emplace_back(base_name(library.name));
        } else if (runtime == Runtime::redistributable) {
            redistributable.emplace_back(base_name(library.name));
        } else if (runtime == Runtime::mingw && !is_for_mingw(expected)) {
            mingw.emplace_back(base_name(library.name));
        }
    }
    if (!debug.empty()) {
        verdict.findings.push_back(
            make_finding(rule::c_runtime_missing,
                         {fmt::format("needs {}, the debug runtime, which comes with Visual Studio and may not be "
                                      "passed on",
                                      list_of(debug)),
                          "build it for release: /MD, not /MDd"}));
    }
    if (!mingw.empty()) {
        verdict.findings.push_back(without_mingw(mingw, expected));
    }
    if (!redistributable.empty()) {
        verdict.findings.push_back(make_finding(
            rule::c_runtime_missing, Severity::warning,
            {fmt::format("needs {}, which is there only where something installed the Visual C++ Redistributable",
                         list_of(redistributable)),
             "link that runtime statically (/MT), or let delvewheel put it into the wheel"}));
    }
}

void check_delayed(Verdict& verdict, const Image& image, const Expectations& expected) {
    std::vector<std::string> names;
    for (const Library& library : image.libraries) {
        const bool is_there = is_system_library(Format::pe, library.name) || parse_python_dll(library.name) ||
                              is_bundled(lower(base_name(library.name)), expected);
        if (library.delayed && !is_there) {
            names.emplace_back(base_name(library.name));
        }
    }
    if (names.empty()) {
        return;
    }
    verdict.findings.push_back(make_finding(
        rule::delay_imports,
        {fmt::format(
             "looks for {} at the first call and not at import: where it is missing, that call ends the process",
             list_of(names)),
         "bring it in the wheel, or link it without /delayload, so that the import says what is missing"}));
}

}  // namespace

Verdict check_pe_loading(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (image.format == Format::pe) {
        check_relocations(verdict, image);
        check_runtimes(verdict, image, expected);
        check_delayed(verdict, image, expected);
    }
    return verdict;
}

}  // namespace nasm_build::inspect
