// What is known of functions of other images by their names.
#pragma once

#include <cstdint>
#include <string_view>

namespace nasm_build::inspect::abi {

enum class Returns : std::uint8_t {
    yes,  ///< CPython's and the C library's functions, but for those that end the process
    never,
    assumed,  ///< of no list: a finding that needs it to return is none for certain
};

[[nodiscard]] Returns returns(std::string_view import) noexcept;

}  // namespace nasm_build::inspect::abi
