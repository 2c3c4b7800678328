#include "inspect/rules/python_names.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "inspect/rules/entry_names.hpp"
#include "inspect/rules/libraries.hpp"

namespace nasm_build::inspect {

namespace {

bool is_bound_elsewhere(Format format, const Import& import) {
    switch (format) {
        case Format::elf:
            return !import.version.empty();
        case Format::macho:
            return !import.flat && !import.library.empty() && !is_libpython(import.library);
        case Format::pe:
            break;
    }
    return !parse_python_dll(import.library).has_value();
}

}  // namespace

bool is_python_name(std::string_view name) noexcept {
    if (is_entry_name(name) || name.starts_with("PyPy") || name.starts_with("_PyPy")) {
        return false;
    }
    std::string_view rest = name;
    if (rest.starts_with('_')) {
        rest.remove_prefix(1);
    }
    const bool has_form =
        rest.size() > 2 && rest.starts_with("Py") && (rest[2] == '_' || (rest[2] >= 'A' && rest[2] <= 'Z'));
    return has_form || find_python_symbol(name).has_value();
}

std::vector<const Import*> python_imports(const Image& image) {
    std::vector<const Import*> found;
    for (const Import& import : image.imports) {
        if (!import.weak && !import.missing_underscore && !is_bound_elsewhere(image.format, import) &&
            is_python_name(import.name)) {
            found.push_back(&import);
        }
    }
    return found;
}

bool other_library_may_have(const Image& image) noexcept {
    return image.format == Format::elf &&
           std::any_of(image.libraries.begin(), image.libraries.end(), [](const Library& library) {
               return !is_libpython(library.name) && !versions_all_symbols(library.name);
           });
}

PythonPlatform python_platform(const Image& image) noexcept {
    switch (image.format) {
        case Format::elf:
            return PythonPlatform::linux_like;
        case Format::macho:
            return PythonPlatform::macos;
        case Format::pe:
            break;
    }
    return PythonPlatform::windows;
}

std::string_view meant_python_name(std::string_view name) {
    std::vector<std::string_view> candidates;
    for (const PythonSymbol& symbol : all_python_symbols()) {
        if (!symbol.name().starts_with('_') || name.starts_with('_')) {
            candidates.push_back(symbol.name());
        }
    }
    return nearest(name, candidates);
}

std::string_view related_python_name(std::string_view name,
                                     const std::function<bool(const PythonSymbol&)>& is_candidate) {
    if (name.starts_with('_')) {
        const auto public_form = find_python_symbol(name.substr(1));
        return public_form && is_candidate(*public_form) ? public_form->name() : std::string_view();
    }
    // The endings by which CPython names a later form of the same function.
    for (const std::string_view ending : {"AndSize", "Ex", "Ref", "2"}) {
        const auto longer = find_python_symbol(std::string(name) + std::string(ending));
        if (longer && is_candidate(*longer)) {
            return longer->name();
        }
    }
    return {};
}

}  // namespace nasm_build::inspect
