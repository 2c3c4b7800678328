#include "inspect/code/frame_rows.hpp"

#include <algorithm>
#include <cstddef>

namespace nasm_build::inspect::code {

namespace {

constexpr std::size_t most_rows = 100'000, most_remembered = 64;

/// System V ABI, AMD64 supplement, figure 3.36: the numbers of registers in DWARF, by the numbers in instructions.
std::optional<std::uint8_t> register_of(std::uint64_t number) {
    static constexpr std::array<std::uint8_t, 16> by_dwarf{0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};
    return number < by_dwarf.size() ? std::optional(by_dwarf.at(static_cast<std::size_t>(number))) : std::nullopt;
}

constexpr std::uint8_t rsp = 4;

/// DWARF 5, table 7.29; the three in the high bits have their operand in the low ones.
enum Opcode : std::uint8_t {
    nop = 0x00,
    set_loc = 0x01,
    advance_loc1 = 0x02,
    advance_loc2 = 0x03,
    advance_loc4 = 0x04,
    offset_extended = 0x05,
    restore_extended = 0x06,
    undefined = 0x07,
    same_value = 0x08,
    in_register = 0x09,
    remember_state = 0x0A,
    restore_state = 0x0B,
    def_cfa = 0x0C,
    def_cfa_register = 0x0D,
    def_cfa_offset = 0x0E,
    def_cfa_expression = 0x0F,
    expression = 0x10,
    offset_extended_sf = 0x11,
    def_cfa_sf = 0x12,
    def_cfa_offset_sf = 0x13,
    val_offset = 0x14,
    val_offset_sf = 0x15,
    val_expression = 0x16,
    gnu_args_size = 0x2E,
    gnu_negative_offset_extended = 0x2F,
    advance_loc = 0x40,
    offset = 0x80,
    restore = 0xC0,
};

class Machine {
public:
    Machine(const FrameEntry& entry, bool only_first) : entry_(entry), only_first_(only_first) {
        row_.address = entry.begin;
    }

    std::vector<FrameRow> run() {
        is_common_ = true;
        execute(entry_.common_program);
        is_common_ = false;
        initial_ = row_;
        execute(entry_.program);
        rows_.push_back(row_);
        return std::move(rows_);
    }

private:
    void execute(ByteView program) {
        Cursor cursor(program);
        while (!cursor.at_end() && rows_.size() < most_rows && !is_done_) {
            const auto byte = cursor.read<std::uint8_t>();
            const std::uint8_t high = byte & 0xC0U;
            const std::uint8_t low = byte & 0x3FU;
            if (high == advance_loc) {
                advance(low);
            } else if (high == offset) {
                save(low, unsigned_factor(cursor));
            } else if (high == restore) {
                take_initial(low);
            } else if (!execute_long(static_cast<Opcode>(byte), cursor)) {
                return;  // what follows cannot be told apart any more
            }
            if (cursor.failed()) {
                return;
            }
        }
    }

    bool execute_long(Opcode opcode, Cursor& cursor) {
        switch (opcode) {
            case nop:
                return true;
            case advance_loc1:
                advance(cursor.read<std::uint8_t>());
                return true;
            case advance_loc2:
                advance(cursor.read<std::uint16_t>());
                return true;
            case advance_loc4:
                advance(cursor.read<std::uint32_t>());
                return true;
            case remember_state:
                if (remembered_.size() == most_remembered) {
                    return false;
                }
                remembered_.push_back(row_);
                return true;
            case restore_state:
                if (remembered_.empty()) {
                    return false;
                }
                // DWARF 5, 6.4.2.4: the row's rules, not its address.
                remembered_.back().address = row_.address;
                row_ = remembered_.back();
                remembered_.pop_back();
                return true;
            case set_loc:  // no compiler for x86-64 writes it
                return false;
            default:
                return execute_cfa(opcode, cursor) || execute_rule(opcode, cursor);
        }
    }

    bool execute_cfa(Opcode opcode, Cursor& cursor) {
        switch (opcode) {
            case def_cfa:
                row_.base = register_of(cursor.read_uleb());
                row_.offset = static_cast<std::int64_t>(cursor.read_uleb());
                return true;
            case def_cfa_sf:
                row_.base = register_of(cursor.read_uleb());
                row_.offset = signed_factor(cursor);
                return true;
            case def_cfa_register:
                row_.base = register_of(cursor.read_uleb());
                return true;
            case def_cfa_offset:
                row_.offset = static_cast<std::int64_t>(cursor.read_uleb());
                return true;
            case def_cfa_offset_sf:
                row_.offset = signed_factor(cursor);
                return true;
            case def_cfa_expression:
                row_.base = std::nullopt;
                cursor.skip(cursor.read_uleb());
                return true;
            default:
                return false;
        }
    }

    bool execute_rule(Opcode opcode, Cursor& cursor) {
        const auto skip_block = [&cursor] { cursor.skip(cursor.read_uleb()); };
        switch (opcode) {
            case offset_extended: {
                const std::uint64_t number = cursor.read_uleb();
                save(number, unsigned_factor(cursor));
                return true;
            }
            case offset_extended_sf: {
                const std::uint64_t number = cursor.read_uleb();
                save(number, signed_factor(cursor));
                return true;
            }
            case gnu_negative_offset_extended: {
                const std::uint64_t number = cursor.read_uleb();
                save(number, -unsigned_factor(cursor));
                return true;
            }
            case restore_extended:
                take_initial(cursor.read_uleb());
                return true;
            case undefined: {
                constexpr std::uint64_t return_address = 16;
                const std::uint64_t number = cursor.read_uleb();
                row_.has_no_caller = row_.has_no_caller || number == return_address;
                save(number, 0);
                return true;
            }
            case same_value:
                save(cursor.read_uleb(), 0);
                return true;
            case in_register:
            case val_offset:
                save(cursor.read_uleb(), 0);
                static_cast<void>(cursor.read_uleb());
                return true;
            case val_offset_sf:
                save(cursor.read_uleb(), 0);
                static_cast<void>(cursor.read_sleb());
                return true;
            case expression:
            case val_expression:
                save(cursor.read_uleb(), 0);
                skip_block();
                return true;
            case gnu_args_size:
                static_cast<void>(cursor.read_uleb());
                return true;
            default:
                return false;
        }
    }

    void advance(std::uint64_t steps) {
        const std::uint64_t bytes = steps * entry_.code_factor;
        if (is_common_ || bytes == 0) {
            return;
        }
        rows_.push_back(row_);
        is_done_ = only_first_;
        row_.address += bytes;
    }

    void save(std::uint64_t number, std::int64_t place) {
        if (const auto one = register_of(number)) {
            row_.saved.at(*one) = place;
        }
    }

    void take_initial(std::uint64_t number) {
        if (const auto one = register_of(number)) {
            row_.saved.at(*one) = initial_.saved.at(*one);
        }
    }

    // Products wrap: a damaged table gives nonsense, never undefined behaviour.
    [[nodiscard]] std::int64_t scaled(std::uint64_t number) const {
        return static_cast<std::int64_t>(number * static_cast<std::uint64_t>(entry_.data_factor));
    }
    [[nodiscard]] std::int64_t unsigned_factor(Cursor& cursor) const { return scaled(cursor.read_uleb()); }
    [[nodiscard]] std::int64_t signed_factor(Cursor& cursor) const {
        return scaled(static_cast<std::uint64_t>(cursor.read_sleb()));
    }

    const FrameEntry& entry_;
    bool only_first_;
    bool is_common_ = false;
    bool is_done_ = false;
    FrameRow row_;
    FrameRow initial_;
    std::vector<FrameRow> remembered_;
    std::vector<FrameRow> rows_;
};

}  // namespace

bool FrameRow::saves_anything() const noexcept {
    return std::any_of(saved.begin(), saved.end(), [](std::int64_t place) { return place != 0; });
}

bool FrameRow::is_that_of_a_call() const noexcept {
    return base == rsp && offset == 8 && !has_no_caller && !saves_anything();
}

std::vector<FrameRow> rows_of(const FrameEntry& entry) {
    return entry.rows.empty() ? Machine(entry, false).run() : entry.rows;
}

bool starts_as_called(const FrameEntry& entry) {
    // As nearly every entry says it: the common part is DW_CFA_def_cfa rsp+8, DW_CFA_offset rip, and the first thing that the
    // entry's own does is to advance.
    constexpr std::array<std::byte, 5> usual{std::byte{def_cfa}, std::byte{7}, std::byte{8}, std::byte{offset | 16U},
                                             std::byte{1}};
    const auto common = entry.common_program.bytes();
    const auto own = entry.program.bytes();
    const bool is_usual =
        entry.rows.empty() && common.size() >= usual.size() && entry.data_factor == -8 &&
        std::equal(usual.begin(), usual.end(), common.begin()) &&
        std::all_of(common.begin() + usual.size(), common.end(), [](std::byte one) { return one == std::byte{nop}; });
    if (is_usual && !own.empty() && (std::to_integer<unsigned>(own.front()) & 0xC0U) == advance_loc) {
        return true;
    }
    return first_row(entry).is_that_of_a_call();
}

FrameRow first_row(const FrameEntry& entry) {
    return entry.rows.empty() ? Machine(entry, true).run().front() : entry.rows.front();
}

}  // namespace nasm_build::inspect::code
