// Reading `__TEXT,__unwind_info`, as <mach-o/compact_unwind_encoding.h> describes it: a table of pages, each with the
// functions of a part of the code, in two forms.
#include "unwind_info.hpp"

#include <algorithm>
#include <string>

#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::uint64_t WORD = 4;
constexpr std::uint64_t INDEX_ENTRY = 12;
constexpr std::uint64_t REGULAR_ENTRY = 8;
constexpr std::uint32_t REGULAR_PAGE = 2;
constexpr std::uint32_t COMPRESSED_PAGE = 3;
constexpr std::uint32_t OFFSET_BITS = 24;  // of an entry of a compressed page; the rest is the encoding's number

class Table {
public:
    Table(const Image& image, Bytes data) : image_(image), data_(data) {}

    std::vector<UnwindRange> read() {
        const auto version = data_.read<std::uint32_t>(0);
        if (version != 1) {
            throw Error("__TEXT,__unwind_info is of version " + std::to_string(version) + ", not 1");
        }
        common_at_ = data_.read<std::uint32_t>(4);
        common_count_ = data_.read<std::uint32_t>(8);
        const auto index = data_.read<std::uint32_t>(20);
        const auto count = data_.read<std::uint32_t>(24);
        // The last entry marks the end of what the table describes, and has no page.
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t at = index + i * INDEX_ENTRY;
            const auto function = data_.read<std::uint32_t>(at);
            begin(function, 0);
            if (const auto page = data_.read<std::uint32_t>(at + WORD); page != 0 && i + 1 < count) {
                read_page(page, function);
            }
        }
        if (!ranges_.empty()) {
            ranges_.pop_back();
        }
        return std::move(ranges_);
    }

private:
    void read_page(std::uint64_t at, std::uint64_t function) {
        const auto kind = data_.read<std::uint32_t>(at);
        const std::uint64_t entries = at + data_.read<std::uint16_t>(at + 4);
        const auto count = data_.read<std::uint16_t>(at + 6);
        if (kind != REGULAR_PAGE && kind != COMPRESSED_PAGE) {
            throw Error("a page of __TEXT,__unwind_info is of kind " + std::to_string(kind));
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            if (kind == REGULAR_PAGE) {
                const std::uint64_t entry = entries + i * REGULAR_ENTRY;
                begin(data_.read<std::uint32_t>(entry), data_.read<std::uint32_t>(entry + WORD));
            } else {
                const auto entry = data_.read<std::uint32_t>(entries + i * WORD);
                begin(function + (entry & ((1U << OFFSET_BITS) - 1)), encoding(at, entry >> OFFSET_BITS));
            }
        }
    }

    /// The common ones come first in the count, then the page's own.
    [[nodiscard]] std::uint32_t encoding(std::uint64_t page, std::uint64_t number) const {
        if (number < common_count_) {
            return data_.read<std::uint32_t>(common_at_ + number * WORD);
        }
        const auto count = data_.read<std::uint16_t>(page + 10);
        if (number - common_count_ >= count) {
            throw Error("__TEXT,__unwind_info has no encoding " + std::to_string(number));
        }
        return data_.read<std::uint32_t>(page + data_.read<std::uint16_t>(page + 8) + (number - common_count_) * WORD);
    }

    /// A range ends where the next one begins. A page begins where its first entry does.
    void begin(std::uint64_t offset, std::uint32_t encoding) {
        const std::uint64_t address = image_.header + offset;
        if (!ranges_.empty()) {
            if (address < ranges_.back().start) {
                throw Error("the functions of __TEXT,__unwind_info are not in order");
            }
            ranges_.back().end = address;
            if (address == ranges_.back().start) {
                ranges_.pop_back();
            }
        }
        // The end lies behind the code, at most where its segment ends.
        if (image_.segment_of(address, 0) == nullptr) {
            throw Error("a function of __TEXT,__unwind_info lies outside all segments");
        }
        ranges_.push_back({.start = address, .end = address, .encoding = encoding});
    }

    const Image& image_;
    Bytes data_;
    std::uint64_t common_at_ = 0;
    std::uint64_t common_count_ = 0;
    std::vector<UnwindRange> ranges_;
};

}  // namespace

std::vector<UnwindRange> read_unwind_info(const Image& image) {
    const auto found = std::find_if(image.sections.begin(), image.sections.end(), [](const Section& section) {
        return section.segment == "__TEXT" && section.name == "__unwind_info" && section.size != 0;
    });
    if (found == image.sections.end()) {
        return {};
    }
    const Segment* segment = image.segment_of(found->address, found->size);
    return Table(image, segment->content.part(found->address - segment->address, found->size, "__TEXT,__unwind_info"))
        .read();
}

}  // namespace macho_loader
