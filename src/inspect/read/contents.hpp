// Gathers what memory holds once the loader is done, while a reader passes over its relocations anyway.
//
// Only a file that can have an entry point is worth the memory, where ReadOptions do not ask for more: a library has hundreds of
// thousands of relocations.
#pragma once

#include <cstdint>
#include <string>

#include "inspect/image.hpp"
#include "inspect/read/guard.hpp"

namespace nasm_build::inspect {

/// Whether a table of names holds one that begins like an entry point's.
[[nodiscard]] bool names_an_entry_point(ByteView names) noexcept;

class ContentsGatherer {
public:
    /// With `wanted` false nothing is kept.
    explicit ContentsGatherer(bool wanted) noexcept : wanted_(wanted) {}

    [[nodiscard]] bool wanted() const noexcept { return wanted_ && contents_.missing.empty(); }

    void add_piece(std::uint64_t address, ByteView bytes);
    void add_sealed(std::uint64_t address, std::uint64_t size);
    /// A place that holds an address of this image.
    void add_address(std::uint64_t place, std::uint64_t target) { add({place, target, {}}); }
    /// A place that holds the address of another image's symbol; the name lies in the file's bytes.
    void add_symbol(std::uint64_t place, std::string_view symbol) { add({place, 0, symbol}); }
    /// Lets go of everything; the reason follows "because".
    void give_up(std::string reason);

    /// Lets go of everything: the file turned out to have no entry point.
    void drop() {
        contents_ = {};
        wanted_ = false;
    }

    /// What was gathered, in order.
    [[nodiscard]] Contents finish();

private:
    void add(Pointer pointer);

    bool wanted_;
    Contents contents_;
};

}  // namespace nasm_build::inspect
