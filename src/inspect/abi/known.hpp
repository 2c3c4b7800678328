// Which functions of a module others call by the platform's convention, as its tables say: only these can be in error for what they
// do to a caller.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "inspect/image.hpp"

namespace nasm_build::inspect::abi {

struct TableFunction {
    std::uint64_t address = 0;
    std::optional<unsigned> parameters;  ///< of a method, as its flags say
};

/// What the tables that a module hands to CPython say of its code.
struct KnownFromTables {
    std::vector<TableFunction> functions;  ///< methods, slots, getters and setters, those of types; by address
    bool goes_without_lock = false;  ///< Py_mod_gil is Py_MOD_GIL_NOT_USED
    bool goes_with_interpreters = false;  ///< Py_mod_multiple_interpreters allows more than one in a process
};

[[nodiscard]] KnownFromTables known_from_tables(const Image& image);

}  // namespace nasm_build::inspect::abi
