// Rebase and bind opcodes (LC_DYLD_INFO): a small machine whose repeat counts are claims. Repeats are judged as a range,
// never one by one: LIEF 0.12.3 runs a count of 2^64 to its end.
#include <fmt/format.h>

#include <set>

#include "inspect/read/fixups_macho.hpp"

namespace nasm_build::inspect::macho {

namespace {

class Machine {
public:
    Machine(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found, ContentsGatherer& gatherer)
        : slice_(slice), layout_(layout), limit_(limit), found_(found), gatherer_(gatherer) {}

    void rebase(const Range& range) {
        start(range, "rebases");
        while (!cursor_.at_end()) {
            const auto byte = cursor_.read<std::uint8_t>();
            const std::uint64_t immediate = byte & 0xFU;
            switch (byte & 0xF0U) {
                case 0x00:
                    return finish();
                case 0x10:
                    break;  // SET_TYPE_IMM
                case 0x20:
                    set_place(immediate, cursor_.read_uleb());
                    break;
                case 0x30:
                    offset_ += cursor_.read_uleb();
                    break;
                case 0x40:
                    offset_ += immediate * pointer();
                    break;
                case 0x50:
                    patch(immediate, pointer());
                    break;
                case 0x60:
                    patch(cursor_.read_uleb(), pointer());
                    break;
                case 0x70:
                    patch(1, cursor_.read_uleb() + pointer());
                    break;
                case 0x80: {
                    const std::uint64_t count = cursor_.read_uleb();
                    patch(count, cursor_.read_uleb() + pointer());
                    break;
                }
                default:
                    fail();
            }
        }
        finish();
    }

    /// `ends_at_done` is false for lazy binds, where DONE separates one bind from the next.
    void bind(const Range& range, bool ends_at_done, bool imports) {
        start(range, "binds");
        gathers_ = imports;
        library_ = 0;
        name_ = {};
        while (!cursor_.at_end()) {
            const auto byte = cursor_.read<std::uint8_t>();
            const std::uint64_t immediate = byte & 0xFU;
            switch (byte & 0xF0U) {
                case 0x00:
                    if (ends_at_done) {
                        return finish();
                    }
                    break;
                case 0x10:
                    library_ = static_cast<std::int64_t>(immediate);
                    break;
                case 0x20:
                    library_ = static_cast<std::int64_t>(cursor_.read_uleb());
                    break;
                case 0x30:
                    library_ = immediate == 0 ? 0 : static_cast<std::int64_t>(immediate) - 16;
                    break;
                case 0x40:
                    name_ = cursor_.read_text();
                    weak_ = (immediate & 1U) != 0;
                    break;
                case 0x50:
                    break;  // SET_TYPE_IMM
                case 0x60:
                    static_cast<void>(cursor_.read_sleb());
                    break;
                case 0x70:
                    set_place(immediate, cursor_.read_uleb());
                    break;
                case 0x80:
                    offset_ += cursor_.read_uleb();
                    break;
                case 0x90:
                    bind_here(1, pointer(), imports);
                    break;
                case 0xA0:
                    bind_here(1, cursor_.read_uleb() + pointer(), imports);
                    break;
                case 0xB0:
                    bind_here(1, (immediate + 1) * pointer(), imports);
                    break;
                case 0xC0: {
                    const std::uint64_t count = cursor_.read_uleb();
                    bind_here(count, cursor_.read_uleb() + pointer(), imports);
                    break;
                }
                case 0xD0:
                    throw Error(
                        "the file's binds are threaded, a form of arm64e before chained fixups that is not read");
                default:
                    fail();
            }
        }
        finish();
    }

private:
    [[nodiscard]] std::uint64_t pointer() const noexcept { return layout_.is_64 ? 8 : 4; }
    [[noreturn]] void fail() const { fail_damaged(fmt::format("its list of {} does not hold together", what_)); }

    void start(const Range& range, const char* what) {
        cursor_ = Cursor(slice_.part(range.offset, range.size));
        what_ = what;
        segment_ = nullptr;
        offset_ = 0;
    }

    void finish() const {
        if (cursor_.failed()) {
            fail();
        }
    }

    void set_place(std::uint64_t segment, std::uint64_t offset) {
        if (segment >= layout_.segments.size()) {
            fail();
        }
        segment_ = &layout_.segments[static_cast<std::size_t>(segment)];
        offset_ = offset;
    }

    void patch(std::uint64_t count, std::uint64_t step) {
        if (cursor_.failed() || segment_ == nullptr) {
            fail();
        }
        if (count == 0) {
            return;
        }
        const std::uint64_t size = segment_->memory_size;
        if (offset_ > size || size - offset_ < pointer() || step == 0 ||
            (count > 1 && (count - 1) > (size - offset_ - pointer()) / step)) {
            fail();
        }
        if ((segment_->protection & prot_write) == 0 && found_.text_relocations.size() < limit_) {
            found_.text_relocations.push_back(
                {segment_->address + offset_, std::string(name_.substr(name_.starts_with('_') ? 1 : 0))});
        }
        if (gathers_ && gatherer_.wanted()) {
            gather(count, step);
        }
        offset_ += count * step;  // may pass the segment's end by the last step, and is checked at the next use
    }

    /// A rebase adds to what the file has at the place; a bind writes a symbol's address.
    void gather(std::uint64_t count, std::uint64_t step) {
        for (std::uint64_t i = 0; i < count && gatherer_.wanted(); ++i) {
            const std::uint64_t into = offset_ + i * step;
            if (!name_.empty()) {
                gatherer_.add_symbol(segment_->address + into, name_.substr(name_.starts_with('_') ? 1 : 0));
            } else if (const auto word = stored_word(slice_, *segment_, into)) {
                gatherer_.add_address(segment_->address + into, *word);
            } else {
                return;  // past what the file has of the segment, where there is nothing to add to
            }
        }
    }

    void bind_here(std::uint64_t count, std::uint64_t step, bool imports) {
        if (name_.empty()) {
            fail();
        }
        patch(count, step);
        if (imports && seen_.emplace(library_, name_.data()).second) {
            budget_.take(name_);
            found_.bound.push_back({std::string(name_), library_, weak_, name_});
        }
    }

    ByteView slice_;
    const Layout& layout_;
    std::size_t limit_;
    Fixups& found_;
    ContentsGatherer& gatherer_;
    bool gathers_ = true;
    Cursor cursor_{ByteView{}};
    const char* what_ = "";
    const Segment* segment_ = nullptr;
    std::uint64_t offset_ = 0;
    std::int64_t library_ = 0;
    std::string_view name_;  ///< in the slice
    bool weak_ = false;
    std::set<std::pair<std::int64_t, const char*>>
        seen_;  ///< by place: names can be long, and many binds have the same one
    NameBudget budget_{name_budget(layout_.binds.size + layout_.lazy_binds.size)};
};

}  // namespace

void read_opcodes(ByteView slice, const Layout& layout, std::size_t limit, Fixups& found, ContentsGatherer& gatherer) {
    Machine machine(slice, layout, limit, found, gatherer);
    machine.rebase(layout.rebases);
    machine.bind(layout.binds, true, true);
    machine.bind(layout.weak_binds, true, false);  // also of symbols that are defined here
    machine.bind(layout.lazy_binds, false, true);
}

}  // namespace nasm_build::inspect::macho
