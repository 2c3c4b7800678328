// The blocks of one function: where they begin, the states in which control comes there, and which of them are still to be walked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "inspect/abi/state.hpp"

namespace nasm_build::inspect::abi {

struct Block {
    std::uint64_t address = 0;
    State state;  ///< at its first instruction
    std::uint64_t end = 0;  ///< where control left it when it was walked last
    bool is_pending = false;  ///< it is to be walked, for the first time or again
};

class Blocks {
public:
    /// Lets control come to a place; the block there is to be walked if that tells anything new. `number` is the place's: 0 as long
    /// as no block begins there. `join_place` is what the place is called for what meets there.
    void enter(std::uint64_t address, std::uint32_t& number, const State& state, std::uint32_t join_place);

    [[nodiscard]] bool has_pending() const noexcept { return !pending_.empty(); }
    /// The index of the one with the lowest address of those that are to be walked, which it is no more.
    [[nodiscard]] std::size_t take_pending();
    void set_end(std::size_t index, std::uint64_t end) { blocks_[index].end = end; }
    /// Those that were entered, by the order in which they were.
    [[nodiscard]] const std::vector<Block>& entered() const noexcept { return blocks_; }
    /// Lets a block be walked once more.
    void renew(std::size_t index);

    /// Puts them in order, once no more are entered.
    void settle();

    // Of settled ones:

    [[nodiscard]] std::size_t size() const noexcept { return blocks_.size(); }
    /// Bytes of memory, about.
    [[nodiscard]] std::size_t memory() const noexcept;
    /// By address.
    [[nodiscard]] const Block& operator[](std::size_t index) const { return blocks_[order_[index]]; }
    /// The block that begins there; null where none does.
    [[nodiscard]] const Block* find(std::uint64_t address) const;

private:
    using Pending = std::pair<std::uint64_t, std::uint32_t>;  // address and index

    std::vector<Block> blocks_;
    std::vector<std::uint32_t> order_;  ///< their indices, by address
    std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
};

}  // namespace nasm_build::inspect::abi
