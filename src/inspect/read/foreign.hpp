// What a file is that is no module: told in words, so that an error can say "is a ZIP archive, not a module".
#pragma once

#include <string>

#include "base/byte_view.hpp"

namespace nasm_build::inspect {

/// `a ZIP archive`, `an ar archive (a static library)`, `text`, …; empty when nothing is known.
[[nodiscard]] std::string describe_foreign(ByteView file);

}  // namespace nasm_build::inspect
