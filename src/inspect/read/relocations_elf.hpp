// The relocations of an ELF file's dynamic linker: checked, and what rules ask of them picked out, in one pass.
#pragma once

#include <string>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/read/contents.hpp"
#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::elf {

struct RelocationFacts {
    std::vector<TextRelocation> text;  ///< those whose place lies in a segment that is not mapped writable
    std::uint64_t indirect = 0;  ///< IRELATIVE
    std::string indirect_symbol;  ///< see ElfFacts
    bool places_own_storage_statically = false;  ///< see ElfFacts
};

/// At most `limit` text relocations are kept; the whole of the tables is checked.
/// What the relocations write goes to the gatherer.
[[nodiscard]] RelocationFacts relocation_facts(ByteView file, const Layout& layout, std::size_t limit,
                                               ContentsGatherer& gatherer);

}  // namespace nasm_build::inspect::elf
