// Versions of Apple's systems, as rules compare them.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "inspect/image.hpp"

namespace nasm_build::inspect {

struct SystemVersion {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;
    auto operator<=>(const SystemVersion&) const = default;
};

/// Reads `11.0` or `10.13.4`; nothing for any other text.
[[nodiscard]] std::optional<SystemVersion> parse_system_version(std::string_view text) noexcept;

/// `11.0`, `10.13.4`.
[[nodiscard]] std::string to_string(SystemVersion version);

/// macOS 11.0 is the first that runs on arm64, whatever a tag for both machines says of x86-64.
[[nodiscard]] SystemVersion at_least_first_of(Machine machine, SystemVersion version) noexcept;

}  // namespace nasm_build::inspect
