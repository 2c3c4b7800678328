// The facts about a binary, written down for programs: docs/facts.schema.json.
#pragma once

#include <string>
#include <string_view>

#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// One file, member of a wheel or slice of a fat file: what was read, or why it could not be.
struct FileFacts {
    std::string_view path;  ///< as it was given
    std::string_view member;  ///< the name inside a wheel, or empty
    std::string_view reason;  ///< why it could not be read; empty when it was
    const Image* image = nullptr;  ///< null when it could not be read
};

/// The document is written in parts, so that a wheel's modules need not be in memory together: what stands before the first
/// entry, an entry (one line without its end), what stands between two, and what stands behind the last.
[[nodiscard]] std::string facts_head();
[[nodiscard]] std::string facts_entry(const FileFacts& facts);
[[nodiscard]] std::string_view facts_separator() noexcept;
[[nodiscard]] std::string_view facts_tail() noexcept;

}  // namespace nasm_build::inspect
