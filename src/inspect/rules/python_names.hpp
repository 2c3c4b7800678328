// Which of a binary's imports are Python's, and which name was meant by one that is not.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "inspect/data/python_symbols.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// Whether a name is one that only Python's own library should have: `Py…`, `_Py…`, or a known one. Entry points and
/// the names of PyPy are not.
[[nodiscard]] bool is_python_name(std::string_view name) noexcept;

/// The imports that Python must have: those that no other library is bound to provide. Weak ones are left out, because
/// a module that has them looks whether they are there.
[[nodiscard]] std::vector<const Import*> python_imports(const Image& image);

/// Whether a library that the module needs could have any symbol at all: one that is neither Python's nor of a family
/// that versions its symbols. Always false where a symbol is bound to its library (PE, Mach-O).
[[nodiscard]] bool other_library_may_have(const Image& image) noexcept;

/// The platform whose exports count for the image.
[[nodiscard]] PythonPlatform python_platform(const Image& image) noexcept;

/// The known name nearest to one that is not known: what was meant. Empty when none is near. A private name is only
/// ever meant by one that is private itself.
[[nodiscard]] std::string_view meant_python_name(std::string_view name);

/// What takes the place of a known name, among those that `is_candidate` takes: the public form of a private name
/// (`PyLong_AsInt` for `_PyLong_AsInt`), or a later form of a public one (`PyUnicode_AsUTF8AndSize` for
/// `PyUnicode_AsUTF8`). Empty when there is none: a name that only looks alike would do something else.
[[nodiscard]] std::string_view related_python_name(std::string_view name,
                                                   const std::function<bool(const PythonSymbol&)>& is_candidate);

}  // namespace nasm_build::inspect
