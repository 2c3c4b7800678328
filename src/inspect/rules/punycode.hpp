// Punycode (RFC 3492): how CPython writes a module's name that is not ASCII into the name of its entry point (PEP 489).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nasm_build::inspect {

/// The UTF-8 text as punycode, equal to Python's `text.encode("punycode")`. Nothing when it is not valid UTF-8.
[[nodiscard]] std::optional<std::string> punycode(std::string_view text);

}  // namespace nasm_build::inspect
