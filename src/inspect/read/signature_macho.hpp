// The code signature of a Mach-O slice, compared with the bytes that it signs.
#pragma once

#include "inspect/image.hpp"
#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

/// Decodes LC_CODE_SIGNATURE and hashes each page once. A signature that does not hold together is a fact, not an Error: the
/// rest of the file can be read, and the kernel's verdict on it is what a rule reports.
[[nodiscard]] CodeSignature signature(ByteView slice, const Layout& layout);

}  // namespace nasm_build::inspect::macho
