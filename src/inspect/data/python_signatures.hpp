// How many arguments the functions of CPython's C API take: facts read from headers.
//
// The table is generated (tools/python_symbols/signatures.py) and holds what all versions agree on.
#pragma once

#include <optional>
#include <string_view>

namespace nasm_build::inspect {

struct PythonSignature {
    unsigned arguments = 0;  ///< the fixed ones
    bool is_variadic = false;
    bool has_others = false;  ///< some are no integers or pointers, so that registers cannot be told by their order
    bool returns_object = false;  ///< a pointer to an object, or NULL with an exception set
};

[[nodiscard]] std::optional<PythonSignature> python_signature(std::string_view name) noexcept;

}  // namespace nasm_build::inspect
