#include "inspect/abi/blocks.hpp"

#include <algorithm>
#include <numeric>

namespace nasm_build::inspect::abi {

void Blocks::enter(std::uint64_t address, std::uint32_t& number, const State& state, std::uint32_t join_place) {
    if (number == 0) {
        blocks_.push_back({address, state, address, false});
        number = static_cast<std::uint32_t>(blocks_.size());
    } else if (!join(blocks_[number - 1].state, state, join_place)) {
        return;
    }
    renew(number - 1);
}

void Blocks::renew(std::size_t index) {
    if (Block& block = blocks_[index]; !block.is_pending) {
        block.is_pending = true;
        pending_.emplace(block.address, static_cast<std::uint32_t>(index));
    }
}

std::size_t Blocks::take_pending() {
    const std::size_t index = pending_.top().second;
    pending_.pop();
    blocks_[index].is_pending = false;
    return index;
}

std::size_t Blocks::memory() const noexcept {
    std::size_t size = 0;
    for (const Block& block : blocks_) {
        size += sizeof(Block) + block.state.slots.capacity() * sizeof(Slot);
    }
    return size;
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
