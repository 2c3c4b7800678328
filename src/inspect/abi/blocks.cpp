#include "inspect/abi/blocks.hpp"

#include <algorithm>
#include <numeric>

namespace nasm_build::inspect::abi {

void Blocks::enter(std::uint64_t address, std::uint32_t& number, const State& state, std::uint32_t join_place) {
    if (number == 0) {
        blocks_.push_back({address, state, false});
        number = static_cast<std::uint32_t>(blocks_.size());
    } else if (!join(blocks_[number - 1].state, state, join_place)) {
        return;
    }
    if (Block& block = blocks_[number - 1]; !block.is_pending) {
        block.is_pending = true;
        pending_.emplace(address, number - 1);
    }
}

const Block& Blocks::take_pending() {
    Block& block = blocks_[pending_.top().second];
    pending_.pop();
    block.is_pending = false;
    return block;
}

void Blocks::settle() {
    order_.resize(blocks_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(),
              [this](std::uint32_t one, std::uint32_t other) { return blocks_[one].address < blocks_[other].address; });
}

const Block* Blocks::find(std::uint64_t address) const {
    const auto found = std::partition_point(order_.begin(), order_.end(),
                                            [&](std::uint32_t index) { return blocks_[index].address < address; });
    return found != order_.end() && blocks_[*found].address == address ? &blocks_[*found] : nullptr;
}

}  // namespace nasm_build::inspect::abi
