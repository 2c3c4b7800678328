// A symbol that the loader must find elsewhere, and that nothing it loads can have.
//
// Only what follows from the file alone is said: the rule never looks for a library on the machine that it runs on.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.hpp"
#include "inspect/data/c_library_symbols.hpp"
#include "inspect/rules/libraries.hpp"
#include "inspect/rules/python_names.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

// A label of the same source that was meant: what the module itself exports.
std::string_view meant_label(const Image& image, std::string_view name) {
    std::vector<std::string_view> candidates;
    constexpr std::size_t most = 1000;  // of a library's thousands of exports none was meant
    constexpr std::size_t longest = 200;  // comparing takes the product of the lengths, and a file may hold any name
    if (name.size() > longest) {
        return {};
    }
    for (const Export& one : image.exports) {
        if (candidates.size() < most && one.name.size() <= longest) {
            candidates.push_back(one.name);
        }
    }
    return nearest(name, candidates);
}

// The word after -l. Until glibc 2.34 threads and dlopen had libraries of their own, whose names still link everywhere.
const char* library_of(std::string_view name, CLibraryPart part) {
    if (part == CLibraryPart::math) {
        return "m";
    }
    if (name.starts_with("pthread_")) {
        return "pthread";
    }
    const bool is_loader = name == "dlopen" || name == "dlsym" || name == "dlclose" || name == "dlerror" ||
                           name == "dladdr" || name == "dlvsym";
    return is_loader ? "dl" : "c";
}

std::string fix_for(const Image& image, const std::string& name) {
    if (const auto part = find_c_library_symbol(name)) {
        return fmt::format("link the library that has it: libraries = [\"{}\"]", library_of(name, *part));
    }
    if (image.format != Format::macho && name.starts_with('_') &&
        (is_python_name(name.substr(1)) || find_c_library_symbol(name.substr(1)))) {
        return fmt::format("spell it {}, without `_`: only macOS puts an underscore before names", name.substr(1));
    }
    std::string_view meant = meant_python_name(name);
    if (meant.empty()) {
        meant = meant_label(image, name);
    }
    if (!meant.empty()) {
        return fmt::format("spell it {}, or link the library that has {}: libraries = [\"…\"]", meant, name);
    }
    return fmt::format("define {}, or link the library that has it: libraries = [\"…\"]", name);
}

Finding without_underscore(const std::string& name) {
    return make_finding(rule::undefined_symbol,
                        {fmt::format("{0} has no underscore before it: macOS has the function as _{0}", name),
                         "assemble with `--prefix _`", name});
}

// Python's own process has the C library and libm in its global scope, so such a symbol is found as long as the
// interpreter is linked with them and exports nothing of that name itself: luck, not a promise of the module. CPython's
// own _statistics and _decimal do so.
Finding found_by_luck(const Image& image, const std::string& name, CLibraryPart part) {
    return make_finding(
        rule::undefined_symbol, Severity::warning,
        {fmt::format("{} is in no library that the module needs: it is found only because CPython itself needs {}",
                     name, part == CLibraryPart::math ? "libm" : "the C library"),
         fix_for(image, name), name});
}

Finding nobody_has(const Image& image, const std::string& name) {
    const auto part = find_c_library_symbol(name);
    if (image.format == Format::elf && part) {
        return found_by_luck(image, name, *part);
    }
    const char* const who = image.libraries.empty() ? "CPython does not have it, and the module needs no library"
                                                    : "neither CPython nor any library that the module needs has it";
    return make_finding(rule::undefined_symbol,
                        {fmt::format("{} is not defined: {}", name, who), fix_for(image, name), name});
}

bool could_be_elsewhere(const Image& image) {
    if (image.format == Format::elf) {
        return other_library_may_have(image);
    }
    // Flat lookup goes through every loaded image, and libSystem is always one of them. Where it was linked, its symbols
    // are bound to it and what is left is in none of the libraries; where it was not, its symbols are flat as well.
    return std::none_of(image.libraries.begin(), image.libraries.end(),
                        [](const Library& library) { return is_system_library(Format::macho, library.name); });
}

// The one name without an underscore that a macOS linker writes by itself; dyld has it.
constexpr std::string_view linkers_import = "dyld_stub_binder";

// ld looks this one up in every image, whatever library has it, when it makes the stubs that send one message each
// (`_objc_msgSend$name`) under `-undefined dynamic_lookup`: libobjc has it, which every framework of Objective-C loads.
bool is_of_objective_c(const Image& image, const Import& import) {
    return import.name == "objc_msgSend" &&
           std::any_of(image.libraries.begin(), image.libraries.end(), [](const Library& library) {
               return library.name.starts_with("/usr/lib/libobjc.") ||
                      library.name.find(".framework/") != std::string::npos;
           });
}

bool must_be_found(const Image& image, const Import& import) {
    if (image.format == Format::macho && (import.name == linkers_import || is_of_objective_c(image, import))) {
        return false;
    }
    if (import.missing_underscore && import.flat && !import.weak) {
        return true;
    }
    if (import.weak || is_python_name(import.name)) {
        return false;
    }
    return image.format == Format::elf ? import.version.empty() : import.flat;
}

}  // namespace

Verdict check_undefined_symbols(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (image.format == Format::pe || !expected.other_implementation.empty()) {
        return verdict;  // PE binds every symbol to the DLL that has it
    }
    const bool is_unknowable = could_be_elsewhere(image);
    // One finding a symbol, but a list of thousands helps nobody.
    constexpr std::size_t most = 50;
    std::vector<std::string> left_out;
    for (const Import& import : image.imports) {
        if (!must_be_found(image, import) || (is_unknowable && !import.missing_underscore)) {
            continue;
        }
        if (verdict.findings.size() == most) {
            left_out.push_back(import.name);
            continue;
        }
        verdict.findings.push_back(import.missing_underscore ? without_underscore(import.name)
                                                             : nobody_has(image, import.name));
    }
    if (!left_out.empty()) {
        verdict.findings.push_back(
            make_finding(rule::undefined_symbol, {fmt::format("{} are not defined either", list_of(left_out)),
                                                  "link the libraries that have them: libraries = [\"…\"]"}));
    }
    return verdict;
}

}  // namespace nasm_build::inspect
