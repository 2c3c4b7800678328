// The export trie of a Mach-O file, by which dyld finds symbols by name.
#pragma once

#include <string>
#include <vector>

#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

struct TrieExport {
    std::string name;  ///< as the file has it: with the leading underscore
    std::uint64_t address = 0;
    bool weak = false;
    std::string forwarded_to;  ///< `library.name` when it is re-exported
};

/// Every name of the trie, sorted; throws Error when the trie is damaged.
[[nodiscard]] std::vector<TrieExport> trie_exports(ByteView slice, const Layout& layout);

}  // namespace nasm_build::inspect::macho
