#include "inspect/code/facts.hpp"

#include <fmt/core.h>

namespace nasm_build::inspect::code {

FeatureSet Code::features() const {
    FeatureSet all;
    for (const Function& function : functions) {
        all.add(function.features);
    }
    return all;
}

std::string display_name(const Function& function) {
    return function.name.empty() ? fmt::format("the function at {:#x}", function.address) : function.name;
}

}  // namespace nasm_build::inspect::code
