// Versions of Apple's systems: their text, and the first one of a machine.
#include "inspect/rules/systems.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace nasm_build::inspect {

std::optional<SystemVersion> parse_system_version(std::string_view text) noexcept {
    std::array<unsigned, 3> numbers{};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto [stopped, error] = std::from_chars(at, end, numbers.at(i));
        if (error != std::errc()) {
            return std::nullopt;
        }
        if (stopped == end) {
            return i == 0 ? std::nullopt : std::optional(SystemVersion{numbers[0], numbers[1], numbers[2]});
        }
        if (*stopped != '.') {
            return std::nullopt;
        }
        at = stopped + 1;
    }
    return std::nullopt;
}

std::string to_string(SystemVersion version) {
    return version.patch == 0 ? fmt::format("{}.{}", version.major, version.minor)
                              : fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

SystemVersion at_least_first_of(Machine machine, SystemVersion version) noexcept {
    constexpr SystemVersion first_on_arm64{11, 0};
    return machine == Machine::arm64 ? std::max(version, first_on_arm64) : version;
}

}  // namespace nasm_build::inspect
