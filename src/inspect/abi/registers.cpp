#include "inspect/abi/registers.hpp"

#include <array>

namespace nasm_build::inspect::abi {

std::string_view name_of(Register one) noexcept {
    constexpr auto names =
        std::to_array<std::string_view>({"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10",
                                         "r11", "r12", "r13", "r14", "r15", "none"});
    return names.at(static_cast<std::size_t>(one));
}

}  // namespace nasm_build::inspect::abi
