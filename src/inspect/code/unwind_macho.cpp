#include "inspect/code/unwind_macho.hpp"

namespace nasm_build::inspect::code {

namespace {

constexpr std::uint8_t rsp = 4, rbp = 5;
constexpr std::uint32_t regular_page = 2, compressed_page = 3;
constexpr std::uint64_t most_entries = 4'000'000;

/// The row that an encoding stands for; nothing where it says something else.
std::optional<FrameRow> row_of(std::uint32_t encoding) {
    constexpr std::uint32_t mode = 0x0F000000, frame_pointer = 0x01000000, frameless = 0x02000000;
    FrameRow row;
    if ((encoding & mode) == frame_pointer) {
        row.base = rbp;
        row.offset = 16;
        return row;
    }
    if ((encoding & mode) == frameless) {
        row.base = rsp;
        row.offset = std::int64_t{(encoding >> 16U) & 0xFFU} * 8;
        return row;
    }
    return std::nullopt;  // a size that stands in the code, or a reference to `__eh_frame`
}

class Reader {
public:
    Reader(ByteView section, std::uint64_t base, std::vector<FrameEntry>& frames)
        : section_(section), base_(base), frames_(frames) {}

    void read() {
        const auto common = section_.load<std::uint32_t>(4);
        const auto common_count = section_.load<std::uint32_t>(8);
        const auto index = section_.load<std::uint32_t>(20);
        const auto index_count = section_.load<std::uint32_t>(24);
        for (std::uint32_t entry = 0; entry + 1 < index_count; ++entry) {
            const std::uint64_t at = index + std::uint64_t{entry} * 12;
            const auto first = section_.load<std::uint32_t>(at);
            const auto page = section_.load<std::uint32_t>(at + 4);
            const auto next = section_.load<std::uint32_t>(at + 12);
            if (page == 0) {
                continue;
            }
            const auto kind = section_.load<std::uint32_t>(page);
            if (kind == regular_page) {
                read_regular(page, next);
            } else if (kind == compressed_page) {
                read_compressed(page, first, next, common, common_count);
            }
        }
    }

private:
    void add(std::uint64_t begin, std::uint64_t end, std::uint32_t encoding) {
        auto row = row_of(encoding);
        if (!row || end <= begin || frames_.size() >= most_entries) {
            return;
        }
        row->address = base_ + begin;
        FrameEntry entry;
        entry.begin = base_ + begin;
        entry.end = base_ + end;
        entry.hold = RowsHold::in_the_body;
        entry.rows.push_back(*row);
        frames_.push_back(std::move(entry));
    }

    void read_regular(std::uint64_t page, std::uint32_t end) {
        const std::uint64_t entries = page + section_.load<std::uint16_t>(page + 4);
        const unsigned count = section_.load<std::uint16_t>(page + 6);
        for (unsigned each = 0; each < count; ++each) {
            const std::uint64_t at = entries + std::uint64_t{each} * 8;
            add(section_.load<std::uint32_t>(at), each + 1 < count ? section_.load<std::uint32_t>(at + 8) : end,
                section_.load<std::uint32_t>(at + 4));
        }
    }

    void read_compressed(std::uint64_t page, std::uint32_t first, std::uint32_t end, std::uint32_t common,
                         std::uint32_t common_count) {
        const std::uint64_t entries = page + section_.load<std::uint16_t>(page + 4);
        const unsigned count = section_.load<std::uint16_t>(page + 6);
        const std::uint64_t own = page + section_.load<std::uint16_t>(page + 8);
        const unsigned own_count = section_.load<std::uint16_t>(page + 10);
        const auto begin_of = [&](unsigned each) {
            return std::uint64_t{first} + (section_.load<std::uint32_t>(entries + std::uint64_t{each} * 4) & 0xFFFFFFU);
        };
        for (unsigned each = 0; each < count; ++each) {
            const std::uint32_t number = section_.load<std::uint32_t>(entries + std::uint64_t{each} * 4) >> 24U;
            if (number >= common_count + std::uint64_t{own_count}) {
                continue;
            }
            const std::uint64_t place = number < common_count ? common + std::uint64_t{number} * 4
                                                              : own + std::uint64_t{number - common_count} * 4;
            add(begin_of(each), each + 1 < count ? begin_of(each + 1) : end, section_.load<std::uint32_t>(place));
        }
    }

    ByteView section_;
    std::uint64_t base_;
    std::vector<FrameEntry>& frames_;
};

}  // namespace

void read_compact_unwind(ByteView section, std::uint64_t base, std::vector<FrameEntry>& frames) {
    if (section.size() < 28 || section.load<std::uint32_t>(0) != 1) {
        return;
    }
    try {
        Reader(section, base, frames).read();
    } catch (const Error&) {
        // What is said up to there is worth having; nothing of it is needed to find a function.
        return;
    }
}

}  // namespace nasm_build::inspect::code
