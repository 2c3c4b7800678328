// Every pointer of an image that must be written before it can be used, whatever form the file says it in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "image.hpp"

namespace macho_loader {

/// A symbol that the image wants from elsewhere.
struct Reference {
    std::string name;  // as in the file, with the leading underscore
    int library = 0;  // number of the library, from 1; or one of BIND_SPECIAL_DYLIB_…
    bool may_be_missing = false;  // a weak import: a null pointer then
    bool keeps_own = false;  // a weak definition: what a rebase has left stays when nobody else has it
};

constexpr std::size_t REBASE = static_cast<std::size_t>(-1);

struct Fixup {
    std::uint64_t address = 0;  // of the pointer, as the file counts
    std::size_t reference = REBASE;  // which of Fixups::references; REBASE: none, the pointer leads into the image
    std::uint64_t value = 0;  // the address that it leads to, or what is added to the symbol's
};

/// In the order in which they are to be done: a later one for the same pointer wins.
struct Fixups {
    std::vector<Reference> references;
    std::vector<Fixup> fixups;
};

/// Both forms. Throws Error for what leads out of a writable segment or is not known.
Fixups read_fixups(const Image& image);

/// Of LC_DYLD_INFO: rebase, bind, weak bind and lazy bind opcodes, lazy ones being bound like all others.
void read_opcodes(const Image& image, Fixups& result);

/// Of LC_DYLD_CHAINED_FIXUPS.
void read_chains(const Image& image, Fixups& result);

/// Adds a fixup that has been checked. Throws Error when the pointer is not in a writable segment, or when there are
/// more fixups than a file of this size can mean.
void add_fixup(const Image& image, Fixups& result, const Fixup& fixup);

}  // namespace macho_loader
