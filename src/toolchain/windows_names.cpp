#include "toolchain/windows_names.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace nasm_build::toolchain {

namespace {

constexpr auto variables = std::to_array<std::string_view>({
#define PYTHON_VARIABLE(name) name,
#include "toolchain/python_variables.inc"
#undef PYTHON_VARIABLE
});

// is_python_variable() searches by halves.
static_assert(std::is_sorted(variables.begin(), variables.end()));

struct RuntimeFunction {
    std::string_view name;
    std::string_view exported;
    std::string_view dll;
};

constexpr auto functions = std::to_array<RuntimeFunction>({
#define RUNTIME_FUNCTION(name, exported, dll) {name, exported, dll},
#include "toolchain/windows_runtime.inc"
#undef RUNTIME_FUNCTION
});

static_assert(std::is_sorted(functions.begin(), functions.end(),
                             [](const auto& left, const auto& right) { return left.name < right.name; }));

}  // namespace

bool is_python_variable(std::string_view name) noexcept {
    return std::binary_search(variables.begin(), variables.end(), name);
}

std::vector<RuntimeLibrary> runtime_libraries() {
    std::map<std::string_view, std::vector<ImportName>> by_dll;
    for (const RuntimeFunction& function : functions) {
        by_dll[function.dll].push_back({function.name, ImportKind::function, function.exported});
    }
    std::vector<RuntimeLibrary> libraries;
    libraries.reserve(by_dll.size());
    for (auto& [dll, names] : by_dll) {
        libraries.push_back({dll, std::move(names)});
    }
    return libraries;
}

}  // namespace nasm_build::toolchain
