#include "inspect/rules/machines.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace nasm_build::inspect {

namespace {

struct Word {
    std::string_view word;
    Machine machine;
};

// The machines of sysconfig's platform words.
constexpr auto words = std::to_array<Word>({
    {"x86_64", Machine::x86_64},
    {"amd64", Machine::x86_64},
    {"aarch64", Machine::arm64},
    {"arm64", Machine::arm64},
    {"i386", Machine::x86},
    {"i486", Machine::x86},
    {"i586", Machine::x86},
    {"i686", Machine::x86},
    {"armv6l", Machine::arm},
    {"armv7l", Machine::arm},
    {"armv8l", Machine::arm},
    {"ppc64", Machine::ppc64},
    {"ppc64le", Machine::ppc64le},
    {"s390x", Machine::s390x},
    {"riscv64", Machine::riscv64},
    {"loongarch64", Machine::loongarch64},
});

std::vector<Machine> machines_of(std::string_view word) {
    if (word == "universal2") {
        return {Machine::x86_64, Machine::arm64};
    }
    if (word == "intel") {
        return {Machine::x86, Machine::x86_64};
    }
    const auto found = std::find_if(words.begin(), words.end(), [&](const Word& one) { return one.word == word; });
    return found == words.end() ? std::vector<Machine>() : std::vector<Machine>{found->machine};
}

}  // namespace

std::optional<MachinePromise> machine_promise(const toolchain::Target& target) {
    const std::string_view name = target.name;
    const std::string_view last = name.substr(name.rfind('-') + 1);
    MachinePromise promise;
    if (name == "win32") {
        promise.format = Format::pe;
        promise.machines = {Machine::x86};
        return promise;
    }
    if (name.starts_with("win-") || name.starts_with("mingw") || name.starts_with("cygwin") ||
        name.starts_with("msys")) {
        promise.format = Format::pe;
        promise.machines = machines_of(last);
        return promise;
    }
    if (name.starts_with("macosx-") || name.starts_with("ios-")) {
        promise.format = Format::macho;
        promise.machines = machines_of(last);
        return promise;
    }
    if (name.starts_with("emscripten") || name.starts_with("pyodide") || name.starts_with("wasi") ||
        name.starts_with("aix")) {
        return std::nullopt;
    }
    promise.machines = machines_of(last);
    return promise;
}

}  // namespace nasm_build::inspect
