// Follows chained fixups (<mach-o/fixup-chains.h>) through the pages of a segment, to learn what dyld writes there. A chain's links
// only ever lead forward within a page, so that following them ends.
#include <fmt/format.h>

#include "inspect/read/fixups_macho.hpp"

namespace nasm_build::inspect::macho {

namespace {

constexpr std::uint16_t no_fixups = 0xFFFF, several_starts = 0x8000;
constexpr std::uint16_t format_64 = 2, format_64_offset = 6;
constexpr std::uint64_t link_unit = 4, word_size = 8;

/// A link of DYLD_CHAINED_PTR_64 and DYLD_CHAINED_PTR_64_OFFSET.
struct Link {
    explicit Link(std::uint64_t bits) noexcept : bits_(bits) {}

    [[nodiscard]] bool is_bind() const noexcept { return (bits_ >> 63U) != 0; }
    [[nodiscard]] std::uint64_t next() const noexcept { return ((bits_ >> 51U) & 0xFFFU) * link_unit; }
    [[nodiscard]] std::uint64_t target() const noexcept { return bits_ & 0xFFFFFFFFFU; }
    [[nodiscard]] std::uint64_t import() const noexcept { return bits_ & 0xFFFFFFU; }

private:
    std::uint64_t bits_;
};

}  // namespace

std::optional<std::uint64_t> stored_word(ByteView slice, const Segment& segment, std::uint64_t into) {
    if (into > segment.file_size || segment.file_size - into < word_size) {
        return std::nullopt;
    }
    return slice.load<std::uint64_t>(segment.offset + into);
}

void gather_chains(ByteView slice, const Layout& layout, ByteView data, std::uint64_t at, const Segment& segment,
                   const Fixups& found, ContentsGatherer& gatherer) {
    const std::uint64_t page_size = data.load<std::uint16_t>(at + 4);
    const auto format = data.load<std::uint16_t>(at + 6);
    const std::uint64_t pages = data.load<std::uint16_t>(at + 20);
    if (format != format_64 && format != format_64_offset) {
        gatherer.give_up(
            fmt::format("the file's chained fixups have pointers of format {}, which are not followed", format));
        return;
    }
    const std::uint64_t base = format == format_64_offset ? layout.base() : 0;
    for (std::uint64_t page = 0; page < pages; ++page) {
        const auto start = data.load<std::uint16_t>(at + 22 + page * 2);
        if (start == no_fixups) {
            continue;
        }
        if ((start & several_starts) != 0) {
            gatherer.give_up("the file's chained fixups have several starts a page, which are not followed");
            return;
        }
        for (std::uint64_t into = start; into < page_size;) {
            const auto bits = stored_word(slice, segment, page * page_size + into);
            if (!bits) {
                fail_damaged(fmt::format("a chain of fixups leaves segment {}", printable(segment.name)));
            }
            const Link link(*bits);
            const std::uint64_t place = segment.address + page * page_size + into;
            if (!link.is_bind()) {
                gatherer.add_address(place, base + link.target());
            } else if (link.import() < found.bound.size()) {
                const std::string_view name = found.bound[static_cast<std::size_t>(link.import())].stored;
                gatherer.add_symbol(place, name.substr(name.starts_with('_') ? 1 : 0));
            } else {
                fail_damaged(
                    fmt::format("a chained fixup refers to import {} of {}", link.import(), found.bound.size()));
            }
            if (link.next() == 0) {
                break;
            }
            into += link.next();
        }
    }
}

}  // namespace nasm_build::inspect::macho
