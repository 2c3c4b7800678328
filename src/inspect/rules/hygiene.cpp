// What works, and is still worth knowing: names that a module shows without need, libraries it brings along, folders of
// the build machine.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "inspect/rules/build_paths.hpp"
#include "inspect/rules/entry_names.hpp"
#include "inspect/rules/libraries.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

// The names that linkers of the GNU family put into every library.
constexpr auto linker_names =
    std::to_array<std::string_view>({"_init", "_fini", "__bss_start", "_edata", "_end", "__end__"});

void check_exports(Verdict& verdict, const Image& image) {
    std::vector<std::string> names;
    for (const Export& one : image.exports) {
        const bool is_linkers = std::find(linker_names.begin(), linker_names.end(), one.name) != linker_names.end();
        if (!is_entry_name(one.name) && !is_linkers && !one.name.empty()) {
            names.push_back(one.name);
        }
    }
    if (names.empty()) {
        return;
    }
    std::sort(names.begin(), names.end());
    verdict.findings.push_back(make_finding(
        rule::extra_exports,
        {fmt::format("exports {} beyond its entry point: {}",
                     names.size() == 1 ? "one name" : fmt::format("{} names", names.size()), list_of(names)),
         image.format == Format::elf ? "give each `global` line `:function hidden`, or link with a version script"
                                     : "export the entry point alone",
         names.front()}));
}

void check_libraries(Verdict& verdict, const Image& image, const Expectations& expected) {
    if (image.format == Format::elf && promises_libraries(expected)) {
        verdict.not_applicable.push_back(
            {std::string(rule::other_libraries), "the tag says which libraries there are"});
        return;
    }
    std::vector<std::string> names;
    for (const Library& library : image.libraries) {
        const bool is_pythons = is_libpython(library.name) || parse_python_dll(library.name);
        const bool is_bundled = expected.wheel != nullptr && expected.wheel->binaries.contains(base_name(library.name));
        if (!is_pythons && !is_bundled && !is_system_library(image.format, library.name)) {
            names.emplace_back(base_name(library.name));
        }
    }
    if (!names.empty()) {
        verdict.findings.push_back(make_finding(
            rule::other_libraries, {fmt::format("needs {}, which must be on every machine that it runs on, or come "
                                                "with it",
                                                list_of(names)),
                                    {}}));
    }
}

}  // namespace

Verdict check_hygiene(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (expected.is_extension_module) {
        check_exports(verdict, image);
        check_libraries(verdict, image, expected);
    }
    check_build_paths(verdict, image, expected);
    return verdict;
}

}  // namespace nasm_build::inspect
