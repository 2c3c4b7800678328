#include "pairs.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace nasm_build::fuzz {

std::vector<std::byte> join(std::span<const std::byte> module, std::span<const std::byte> object) {
    const auto size = static_cast<std::uint32_t>(module.size());
    std::vector<std::byte> joined(sizeof size + module.size() + object.size());
    std::memcpy(joined.data(), &size, sizeof size);
    std::copy(object.begin(), object.end(), std::copy(module.begin(), module.end(), joined.begin() + sizeof size));
    return joined;
}

Pair split(std::span<const std::byte> joined) {
    std::uint32_t stated = 0;
    if (joined.size() < sizeof stated) {
        return {};
    }
    std::memcpy(&stated, joined.data(), sizeof stated);
    const std::span<const std::byte> rest = joined.subspan(sizeof stated);
    const std::size_t size = std::min<std::size_t>(stated, rest.size());
    return {rest.first(size), rest.subspan(size)};
}

Layout layout_of_pair(std::span<const std::byte> joined) {
    const Pair pair = split(joined);
    if (pair.object.empty()) {
        return layout_of(joined);
    }
    Layout layout = layout_of(pair.object);
    for (Table& table : layout) {
        table.offset += joined.size() - pair.object.size();
    }
    return layout;
}

}  // namespace nasm_build::fuzz
