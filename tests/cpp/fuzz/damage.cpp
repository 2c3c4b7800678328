// Half of the inputs have lying fields in headers and tables, with the values that range checks get wrong.
#include "damage.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace nasm_build::fuzz {

namespace {

using Bytes = std::vector<std::byte>;

std::uint64_t interesting_value(const Bytes& bytes, std::uint64_t old, Random& random) {
    const std::uint64_t size = bytes.size();
    const std::array<std::uint64_t, 24> values = {
        0,      1,        2,          7,          8,          0x7F,       0x80,       0xFF,      0x100,
        0xFFFF, 0x10000,  0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, UINT64_MAX, INT64_MAX, UINT64_MAX - 7,
        size,   size - 1, size + 1,   size / 2,   0x1000,     size * 16};
    switch (random.below(8)) {
        case 0:
            return old + 1;
        case 1:
            return old - 1;
        case 2:
            return old * 2;
        case 3:
            return old ^ (std::uint64_t{1} << random.below(64));
        case 4:
            return random.next();
        default:
            return values.at(random.below(values.size()));
    }
}

void lie_in_a_field(Bytes& bytes, const std::vector<Region>& regions, Random& random) {
    const Region& region = regions[random.below(regions.size())];
    const std::size_t width = std::size_t{1} << random.below(4);
    if (region.offset >= bytes.size() || region.size < width) {
        return;
    }
    const std::size_t slots = region.size / width;
    const std::size_t at = region.offset + random.below(slots) * width;
    if (at + width > bytes.size()) {
        return;
    }
    std::uint64_t old = 0;
    std::memcpy(&old, bytes.data() + at, width);  // little-endian hosts only, as the machines that run this are
    const std::uint64_t value = interesting_value(bytes, old, random);
    std::memcpy(bytes.data() + at, &value, width);
}

void flip_bits(Bytes& bytes, const std::vector<Region>& regions, Random& random) {
    const std::uint64_t count = 1 + random.below(16);
    for (std::uint64_t i = 0; i < count && !bytes.empty(); ++i) {
        std::size_t at = random.below(bytes.size());
        if (random.below(2) == 0) {
            const Region& region = regions[random.below(regions.size())];
            at = std::min(region.offset + random.below(region.size), bytes.size() - 1);
        }
        bytes[at] ^= static_cast<std::byte>(1U << random.below(8));
    }
}

void copy_a_block(Bytes& bytes, const std::vector<Region>& regions, Random& random) {
    const Region& from = regions[random.below(regions.size())];
    const Region& to = regions[random.below(regions.size())];
    const std::size_t size = std::min({from.size, to.size, std::size_t{1} + random.below(256)});
    if (from.offset + size <= bytes.size() && to.offset + size <= bytes.size()) {
        std::memmove(bytes.data() + to.offset, bytes.data() + from.offset, size);
    }
}

void fill_a_block(Bytes& bytes, const std::vector<Region>& regions, Random& random) {
    const Region& region = regions[random.below(regions.size())];
    if (region.offset >= bytes.size()) {
        return;
    }
    const std::size_t at = region.offset + random.below(region.size);
    const std::size_t size = std::min(bytes.size() - std::min(at, bytes.size()), std::size_t{1} + random.below(64));
    const auto value = static_cast<std::byte>(random.below(3) == 0 ? random.below(256) : random.below(2) * 0xFF);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at, bytes.size())), size, value);
}

void cut(Bytes& bytes, const std::vector<Region>& regions, Random& random) {
    std::size_t size = random.below(bytes.size() + 1);
    if (random.below(2) == 0) {  // at or beside the edge of a table
        const Region& region = regions[random.below(regions.size())];
        size = region.offset + (random.below(2) == 0 ? region.size : 0) + random.below(3);
        size = size == 0 ? 0 : size - 1;
    }
    bytes.resize(std::min(size, bytes.size()));
}

}  // namespace

std::vector<std::byte> damage(std::span<const std::byte> good, const std::vector<Region>& regions, Random& random) {
    Bytes bytes(good.begin(), good.end());
    const std::uint64_t rounds = 1 + random.below(4);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        switch (random.below(10)) {
            case 0:
                cut(bytes, regions, random);
                break;
            case 1:
            case 2:
                flip_bits(bytes, regions, random);
                break;
            case 3:
                copy_a_block(bytes, regions, random);
                break;
            case 4:
                fill_a_block(bytes, regions, random);
                break;
            default:
                lie_in_a_field(bytes, regions, random);
                break;
        }
    }
    return bytes;
}

}  // namespace nasm_build::fuzz
