// The line-number programs of DWARF (section 6.2 of versions 2 to 5), run over a bounded cursor.
#include "inspect/read/line_table.hpp"

#include <algorithm>

#include "inspect/read/line_names.hpp"

namespace nasm_build::inspect {

namespace {

constexpr std::size_t range_limit = 4'000'000;
// Of the names of all files together: version 5 lets them share their bytes.
constexpr std::size_t names_limit = std::size_t{16} << 20U;

/// The state machine's registers that a line needs.
struct Registers {
    std::uint32_t section = 0;
    std::uint64_t address = 0;
    std::uint64_t file = 1;
    std::int64_t line = 1;
    bool placed = false;  ///< the address came from a relocation
    bool unrelocated = false;  ///< it counts from the start of a section that the end of the sequence tells
};

}  // namespace

/// One unit: its header, then its program.
class LineUnit {
public:
    LineUnit(const LineSections& sections, LineTable& table) : sections_(sections), table_(table), names_(sections) {}

    /// Reads the unit at `start` and returns where the next one starts; nothing when the table cannot be read on.
    std::optional<std::uint64_t> read(std::uint64_t start) {
        Cursor cursor(sections_.line, start);
        std::uint64_t length = cursor.read<std::uint32_t>();
        if (length == 0xFFFFFFFF) {
            offset_size_ = 8;
            length = cursor.read<std::uint64_t>();
        }
        if (cursor.failed() || length > cursor.left()) {
            return std::nullopt;
        }
        const std::uint64_t end = cursor.position() + length;
        Cursor unit(sections_.line.part(0, end), cursor.position());
        read_header(unit);
        if (!unit.failed()) {
            run(unit);
        }
        forget_unplaced();
        return end;
    }

private:
    void read_header(Cursor& cursor) {
        version_ = cursor.read<std::uint16_t>();
        if (version_ < 2 || version_ > 5) {
            cursor.fail();
            return;
        }
        if (version_ == 5) {
            cursor.skip(2);  // the sizes of an address and of a segment selector
        }
        const std::uint64_t header_length =
            offset_size_ == 8 ? cursor.read<std::uint64_t>() : cursor.read<std::uint32_t>();
        const std::uint64_t program = cursor.position() + header_length;
        if (header_length > cursor.left()) {
            cursor.fail();
            return;
        }
        minimum_length_ = cursor.read<std::uint8_t>();
        if (version_ >= 4) {
            cursor.skip(1);  // operations an instruction: 1 on x86
        }
        cursor.skip(1);  // whether lines start as statements
        line_base_ = static_cast<std::int8_t>(cursor.read<std::uint8_t>());
        line_range_ = cursor.read<std::uint8_t>();
        opcode_base_ = cursor.read<std::uint8_t>();
        operand_counts_.clear();
        operand_counts_.reserve(opcode_base_);
        for (unsigned opcode = 1; opcode < opcode_base_; ++opcode) {
            operand_counts_.push_back(cursor.read<std::uint8_t>());
        }
        names_.read(cursor, version_, offset_size_);
        if (!cursor.failed() && cursor.position() <= program) {
            cursor.skip(program - cursor.position());
        } else {
            cursor.fail();
        }
    }

    void run(Cursor& cursor) {
        while (!cursor.failed() && !cursor.at_end() && table_.ranges_.size() < range_limit) {
            const auto opcode = cursor.read<std::uint8_t>();
            if (opcode >= opcode_base_) {
                run_special(static_cast<unsigned>(opcode - opcode_base_));
            } else if (opcode == 0) {
                run_extended(cursor);
            } else {
                run_standard(cursor, opcode);
            }
        }
    }

    void run_special(unsigned adjusted) {
        if (line_range_ == 0) {
            return;
        }
        registers_.address += std::uint64_t{adjusted / line_range_} * minimum_length_;
        advance_line(line_base_ + static_cast<std::int64_t>(adjusted % line_range_));
        add_row(false);
    }

    void run_standard(Cursor& cursor, std::uint8_t opcode) {
        switch (opcode) {
            case 1:
                add_row(false);
                break;  // DW_LNS_copy
            case 2:
                registers_.address += cursor.read_uleb() * minimum_length_;
                break;  // DW_LNS_advance_pc
            case 3:
                advance_line(cursor.read_sleb());
                break;  // DW_LNS_advance_line
            case 4:
                registers_.file = cursor.read_uleb();
                break;  // DW_LNS_set_file
            case 8:  // DW_LNS_const_add_pc
                if (line_range_ != 0) {
                    registers_.address += std::uint64_t{(255U - opcode_base_) / line_range_} * minimum_length_;
                }
                break;
            case 9:
                registers_.address += cursor.read<std::uint16_t>();
                break;  // DW_LNS_fixed_advance_pc
            default:
                for (unsigned i = 0; i < operand_counts_[opcode - 1U]; ++i) {
                    static_cast<void>(cursor.read_uleb());
                }
        }
    }

    void advance_line(std::int64_t by) {
        // In unsigned numbers: a lying advance may pass the range of a signed one.
        registers_.line =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(registers_.line) + static_cast<std::uint64_t>(by));
    }

    void run_extended(Cursor& cursor) {
        const std::uint64_t length = cursor.read_uleb();
        if (cursor.failed() || length == 0 || length > cursor.left()) {
            cursor.fail();
            return;
        }
        const std::uint64_t end = cursor.position() + length;
        switch (cursor.read<std::uint8_t>()) {
            case 1:  // DW_LNE_end_sequence
                add_row(true);
                place_sequence();
                registers_ = {};
                has_row_ = false;
                break;
            case 2:
                set_address(cursor, length - 1);
                break;  // DW_LNE_set_address
            case 3:
                static_cast<void>(names_.read_file(cursor));
                break;  // DW_LNE_define_file
            default:
                break;
        }
        if (cursor.position() <= end) {
            cursor.skip(end - cursor.position());
        } else {
            cursor.fail();
        }
    }

    void set_address(Cursor& cursor, std::uint64_t size) {
        const LineRelocation* relocation = sections_.relocation_at(cursor.position());
        forget_unplaced();
        registers_.placed = relocation != nullptr && size == 8;
        if (registers_.placed) {
            registers_.section = relocation->section;
            registers_.address = relocation->value;
        } else if (size == 8 && !sections_.unrelocated.empty() && cursor.read<std::uint64_t>() == 0) {
            registers_.placed = registers_.unrelocated = true;
            registers_.address = 0;
            first_range_ = table_.ranges_.size();
        }
        has_row_ = false;
    }

    /// At the end of a sequence without a relocation: its ranges are those of the section of its size.
    void place_sequence() {
        if (!registers_.unrelocated) {
            return;
        }
        const auto has_size = [&](const CodeExtent& extent) { return extent.size == registers_.address; };
        const auto found = std::find_if(sections_.unrelocated.begin(), sections_.unrelocated.end(), has_size);
        if (found == sections_.unrelocated.end() ||
            std::find_if(found + 1, sections_.unrelocated.end(), has_size) != sections_.unrelocated.end()) {
            forget_unplaced();
            return;
        }
        for (std::size_t i = first_range_; i < table_.ranges_.size(); ++i) {
            table_.ranges_[i].section = found->section;
        }
        registers_.unrelocated = false;
    }

    /// Without its end, or with one that is no section's, a sequence has no lines.
    void forget_unplaced() {
        if (registers_.unrelocated) {
            table_.ranges_.resize(first_range_);
            registers_.unrelocated = false;
        }
    }

    /// A row holds from its address to the next row's.
    void add_row(bool ends) {
        if (has_row_ && registers_.placed && registers_.address > row_.address && row_.line > 0 &&
            row_.line <= UINT32_MAX) {
            if (const auto file = index_of(row_.file)) {
                table_.ranges_.push_back(
                    {row_.section, row_.address, registers_.address, *file, static_cast<std::uint32_t>(row_.line)});
            }
        }
        row_ = registers_;
        has_row_ = !ends;
    }

    std::optional<std::uint32_t> index_of(std::uint64_t file) {
        if (!names_.has(file)) {
            return std::nullopt;
        }
        if (known_.size() <= file) {
            known_.resize(static_cast<std::size_t>(file) + 1);
        }
        auto& known = known_[static_cast<std::size_t>(file)];
        if (!known) {
            // In the tables without relocations, those of NASM's Mach-O objects, folders are counted from 0.
            std::string path = names_.path(file, registers_.unrelocated ? 1 : 0);
            if (path.size() > names_limit - table_.names_size_) {
                return std::nullopt;
            }
            table_.names_size_ += path.size();
            known = static_cast<std::uint32_t>(table_.files_.size());
            table_.files_.push_back(std::move(path));
        }
        return known;
    }

    const LineSections& sections_;
    LineTable& table_;
    LineNames names_;
    std::uint64_t offset_size_ = 4;
    std::uint16_t version_ = 0;
    std::uint8_t minimum_length_ = 1;
    std::int8_t line_base_ = 0;
    std::uint8_t line_range_ = 0;
    std::uint8_t opcode_base_ = 0;
    std::vector<std::uint8_t> operand_counts_;
    std::vector<std::optional<std::uint32_t>> known_;
    Registers registers_;
    Registers row_;
    bool has_row_ = false;
    std::size_t first_range_ = 0;  ///< of a sequence without a relocation
};

const LineRelocation* LineSections::relocation_at(std::uint64_t place) const {
    const auto found = std::lower_bound(
        relocations.begin(), relocations.end(), place,
        [](const LineRelocation& relocation, std::uint64_t wanted) { return relocation.place < wanted; });
    return found != relocations.end() && found->place == place ? &*found : nullptr;
}

LineTable::LineTable(const LineSections& sections) {
    for (std::optional<std::uint64_t> at = 0; at && *at < sections.line.size();) {
        at = LineUnit(sections, *this).read(*at);
    }
    std::stable_sort(ranges_.begin(), ranges_.end(), [](const Range& left, const Range& right) {
        return left.section != right.section ? left.section < right.section : left.begin < right.begin;
    });
    // Under subsections_via_symbols NASM begins a sequence at each global symbol of a Mach-O section, and ends all of them where the
    // section ends: the last range of each lies over the ranges of the next.
    for (std::size_t i = 0; i + 1 < ranges_.size(); ++i) {
        if (ranges_[i].section == ranges_[i + 1].section) {
            ranges_[i].end = std::min(ranges_[i].end, ranges_[i + 1].begin);
        }
    }
    std::erase_if(ranges_, [](const Range& range) { return range.begin >= range.end; });
}

std::optional<SourcePlace> LineTable::find(std::uint32_t section, std::uint64_t offset) const {
    const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), std::pair(section, offset),
                                        [](const std::pair<std::uint32_t, std::uint64_t>& wanted, const Range& range) {
                                            return wanted.first != range.section ? wanted.first < range.section
                                                                                 : wanted.second < range.begin;
                                        });
    if (after == ranges_.begin()) {
        return std::nullopt;
    }
    const Range& range = *std::prev(after);
    if (range.section != section || offset >= range.end) {
        return std::nullopt;
    }
    return SourcePlace{files_[range.file], range.line};
}

}  // namespace nasm_build::inspect
