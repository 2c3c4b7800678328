// Folders of the build machine that a binary names: run paths, and the install names that dyld takes for paths.
#include "inspect/rules/build_paths.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "inspect/rules/libraries.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

// Folders in which things are built, and which other machines do not have.
constexpr auto build_folders = std::to_array<std::string_view>(
    {"/tmp/", "/var/tmp/", "/home/", "/root/", "/Users/", "/private/", "/build/", "/builds/", "/builddir/",
     "/workspace/", "/project/", "/github/", "/var/folders/", "/io/"});

// Where macOS' package managers put libraries: Homebrew on arm64 and on x86-64, MacPorts, Fink.
constexpr auto package_folders =
    std::to_array<std::string_view>({"/opt/homebrew/", "/usr/local/", "/opt/local/", "/sw/"});

template <std::size_t count>
bool lies_in_one_of(const std::array<std::string_view, count>& folders, std::string_view path) {
    const std::string with_end = std::string(path) + "/";
    return std::any_of(folders.begin(), folders.end(),
                       [&](std::string_view folder) { return with_end.starts_with(folder); });
}

// The folders of a system (`/usr/lib`) and those relative to the module (`$ORIGIN`, `@loader_path`) are fine.
void check_run_paths(Verdict& verdict, const Image& image) {
    for (const std::string& path : image.run_paths) {
        if (lies_in_one_of(build_folders, path)) {
            verdict.findings.push_back(make_finding(
                rule::build_path,
                {fmt::format("looks for libraries in {}, a folder of the machine that it was built on", path),
                 image.format == Format::macho ? "link without -rpath, or use @loader_path"
                                               : "link without -rpath, or use $ORIGIN"}));
        }
    }
}

// A needed library's install name is the path that dyld opens. Where a tag promises other machines, none of them has it.
void check_needed_libraries(Verdict& verdict, const Image& image, const Expectations& expected) {
    std::vector<std::string> paths;
    for (const Library& library : image.libraries) {
        const bool is_elsewhere =
            lies_in_one_of(build_folders, library.name) || lies_in_one_of(package_folders, library.name);
        if (is_elsewhere && !library.weak && !is_libpython(library.name)) {
            paths.push_back(library.name);
        }
    }
    if (paths.empty()) {
        return;
    }
    const Severity severity = expected.promised_elsewhere ? Severity::error : Severity::warning;
    verdict.findings.push_back(
        make_finding(rule::build_path, severity,
                     {fmt::format("needs {}, in a folder of the machine that it was built on", list_of(paths)),
                      "let delocate bring it along, or name it anew and sign again: install_name_tool -change OLD "
                      "@loader_path/NAME FILE"}));
}

// What a library calls itself is what others will look for that are linked with it; nothing that loads it by its path minds.
void check_own_name(Verdict& verdict, const Image& image) {
    if (lies_in_one_of(build_folders, image.soname)) {
        verdict.findings.push_back(make_finding(
            rule::build_path, Severity::note,
            {fmt::format(
                 "calls itself {}, a path of the machine that it was built on, where what is linked with it will "
                 "look for it",
                 image.soname),
             fmt::format("link it with -install_name @rpath/{}", base_name(image.soname))}));
    }
}

}  // namespace

void check_build_paths(Verdict& verdict, const Image& image, const Expectations& expected) {
    check_run_paths(verdict, image);
    if (image.format == Format::macho) {
        check_needed_libraries(verdict, image, expected);
        check_own_name(verdict, image);
    }
}

}  // namespace nasm_build::inspect
