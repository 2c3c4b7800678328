// What each fault against a calling convention is called, and what to do about it.
#pragma once

#include <string>
#include <string_view>

#include "inspect/abi/fault.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

struct Told {
    std::string_view rule;
    std::string message;
    std::string fix;
};

[[nodiscard]] Told words_of(const abi::Fault& fault, const Image& image);

}  // namespace nasm_build::inspect
