#include "inspect/rules/words.hpp"

#include <fmt/core.h>

namespace nasm_build::inspect {

std::string list_of(std::span<const std::string> names, std::size_t most) {
    // "and 1 more" would be longer than the name itself.
    const std::size_t shown = names.size() > most + 1 ? most : names.size();
    std::string text;
    for (std::size_t index = 0; index < shown; ++index) {
        const bool is_last = index + 1 == names.size();
        text += index == 0 ? "" : is_last ? " and " : ", ";
        text += names[index];
    }
    if (shown < names.size()) {
        text += fmt::format(" and {} more", names.size() - shown);
    }
    return text;
}

std::string audience(const Expectations& expected) {
    return expected.python ? describe(*expected.python) : "any CPython";
}

std::string_view leaf_name(const Expectations& expected) noexcept {
    const std::string_view name = expected.module_name;
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

}  // namespace nasm_build::inspect
