#include "inspect/memory.hpp"

#include <algorithm>

#include "base/byte_view.hpp"

namespace nasm_build::inspect {

namespace {

constexpr std::uint64_t word_size = 8;

bool overlap(std::uint64_t begin, std::uint64_t end, const AddressRange& range) noexcept {
    return begin < range.address + range.size && range.address < end;
}

}  // namespace

std::span<const std::byte> bytes_at(const Image& image, std::uint64_t address) noexcept {
    for (const Content& piece : image.contents.pieces) {
        if (address >= piece.address && address - piece.address < piece.bytes.size()) {
            return piece.bytes.subspan(static_cast<std::size_t>(address - piece.address));
        }
    }
    return {};
}

bool is_mapped(const Image& image, std::uint64_t address, std::uint64_t size) noexcept {
    return std::any_of(image.memory.begin(), image.memory.end(), [&](const MemoryRange& range) {
        return range.contains(address) && size <= range.size - (address - range.address);
    });
}

std::optional<std::uint64_t> number_at(const Image& image, std::uint64_t address, unsigned width) noexcept {
    if (!is_mapped(image, address, width)) {
        return std::nullopt;
    }
    const auto bytes = bytes_at(image, address);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width && i < bytes.size(); ++i) {
        value |= std::to_integer<std::uint64_t>(bytes[i]) << (8U * i);
    }
    return value;
}

std::span<const Pointer> pointers_in(const Image& image, std::uint64_t begin, std::uint64_t end) noexcept {
    const auto& pointers = image.contents.pointers;
    const auto before = [](const Pointer& one, std::uint64_t place) { return one.place < place; };
    const auto first = std::lower_bound(pointers.begin(), pointers.end(), begin, before);
    const auto last = std::lower_bound(first, pointers.end(), end, before);
    return {first, last};
}

std::optional<Word> word_at(const Image& image, std::uint64_t address) noexcept {
    const auto number = number_at(image, address, word_size);
    if (!number) {
        return std::nullopt;
    }
    const std::uint64_t begin = address < word_size ? 0 : address - word_size + 1;
    const auto near = pointers_in(image, begin, address + word_size);
    if (near.empty()) {
        return Word{Word::Kind::number, *number, {}};
    }
    // Of several at one place the last counts: a lazy bind replaces what a rebase left.
    const auto here =
        std::find_if(near.rbegin(), near.rend(), [&](const Pointer& one) { return one.place == address; });
    if (here == near.rend()) {
        return Word{Word::Kind::torn, *number, {}};
    }
    return here->symbol.empty() ? Word{Word::Kind::address, here->target, {}}
                                : Word{Word::Kind::symbol, 0, here->symbol};
}

std::optional<std::string_view> text_at(const Image& image, std::uint64_t address) noexcept {
    constexpr std::size_t longest = 16384;  // what a name never has; one search must not go through a large file
    const auto bytes = bytes_at(image, address);
    return ByteView(bytes.first(std::min(longest, bytes.size()))).text(0);
}

bool is_writable(const Image& image, std::uint64_t address) noexcept {
    const bool is_sealed = std::any_of(
        image.contents.sealed.begin(), image.contents.sealed.end(),
        [&](const AddressRange& range) { return address >= range.address && address - range.address < range.size; });
    return !is_sealed && std::any_of(image.memory.begin(), image.memory.end(), [&](const MemoryRange& range) {
        return range.writable && range.contains(address);
    });
}

bool is_written_by_code(const Image& image, std::uint64_t begin, std::uint64_t end) noexcept {
    return std::any_of(image.entry_code.written.begin(), image.entry_code.written.end(),
                       [&](const AddressRange& range) { return overlap(begin, end, range); });
}

}  // namespace nasm_build::inspect
