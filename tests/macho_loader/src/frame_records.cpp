// From compact unwind encodings to DWARF's call frame information (DWARF 5, section 6.4; the encodings are those of
// <mach-o/compact_unwind_encoding.h>).
//
// A function has one rule from its first byte to its last, as on macOS: it holds in the body, not within the prologue.
#include "frame_records.hpp"

#include <array>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>

#include "unwind_info.hpp"

namespace macho_loader {

namespace {

constexpr std::uint32_t MODE_MASK = 0x0f000000;
constexpr std::uint32_t NOT_FUNCTION_START = 0x80000000;
constexpr std::uint32_t NO_RULE = 0x00000000;
constexpr std::uint32_t FRAME_POINTER = 0x01000000;  // rbp and the return address, saved registers below them
constexpr std::uint32_t NO_FRAME = 0x02000000;  // a fixed distance from rsp to the return address
constexpr std::uint32_t DWARF = 0x04000000;  // to be found in __eh_frame

// DWARF's numbers for rbx and r12 to r15, which the encodings count from 1 on (System V psABI, figure 3.36).
constexpr std::array<std::uint8_t, 6> REGISTERS = {0, 3, 12, 13, 14, 15};

class Records {
public:
    Records() {
        // Version 1, "zR": a byte for the pointers' form, here whole addresses; code in bytes, data in -8 bytes, the
        // return address in column 16; it lies at the frame's address - 8, which is rsp + 8 at a function's start.
        begin();
        number(0);
        bytes({1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x00, 0x0c, 7, 8, 0x90, 1});
        end();
    }

    /// `rules` are operations of DWARF's call frame machine.
    void add(std::uint64_t start, std::uint64_t size, std::span<const std::uint8_t> rules) {
        begin();
        number(static_cast<std::uint32_t>(data_.size()));  // back to the one record of the kind before
        whole(start);
        whole(size);
        bytes({0});
        for (const std::uint8_t rule : rules) {
            data_.push_back(std::byte{rule});
        }
        end();
    }

    std::vector<std::byte> finish() {
        number(0);
        return std::move(data_);
    }

private:
    void begin() {
        start_ = data_.size();
        number(0);
    }

    void end() {
        while (data_.size() % sizeof(std::uint64_t) != sizeof(std::uint32_t)) {
            data_.push_back(std::byte{0});  // DW_CFA_nop
        }
        const auto size = static_cast<std::uint32_t>(data_.size() - start_ - sizeof(std::uint32_t));
        std::memcpy(&data_[start_], &size, sizeof size);
    }

    void bytes(std::initializer_list<std::uint8_t> values) {
        for (const std::uint8_t value : values) {
            data_.push_back(std::byte{value});
        }
    }

    template <typename Number>
    void append(Number value) {
        data_.resize(data_.size() + sizeof value);
        std::memcpy(&data_[data_.size() - sizeof value], &value, sizeof value);
    }
    void number(std::uint32_t value) { append(value); }
    void whole(std::uint64_t value) { append(value); }

    std::vector<std::byte> data_;
    std::size_t start_ = 0;
};

[[noreturn]] void unknown(std::uint32_t encoding) {
    throw Error("the unwind encoding " + std::to_string(encoding) + " is not known to this loader");
}

/// The frame's address is rbp + 16; the saved registers lie below rbp, the first one `distance` words away.
std::vector<std::uint8_t> with_frame_pointer(std::uint32_t encoding) {
    const std::uint32_t distance = encoding >> 16U & 0xffU;
    std::vector<std::uint8_t> rules = {0x0c, 6, 16, 0x86, 2};  // DW_CFA_def_cfa rbp, 16; DW_CFA_offset rbp
    for (std::uint32_t i = 0; i < 5; ++i) {
        const std::uint32_t saved = encoding >> (3 * i) & 7U;
        if (saved == 0) {
            continue;
        }
        // Two words lie between rbp and the frame's address. A DWARF number of one byte goes up to 127.
        if (saved >= REGISTERS.size() || distance <= i || distance - i + 2 > 127) {
            unknown(encoding);
        }
        rules.push_back(static_cast<std::uint8_t>(0x80U | REGISTERS.at(saved)));  // DW_CFA_offset
        rules.push_back(static_cast<std::uint8_t>(distance - i + 2));
    }
    return rules;
}

std::vector<std::uint8_t> without_frame_pointer(std::uint32_t encoding) {
    const std::uint32_t size = (encoding >> 16U & 0xffU) * 8;
    if ((encoding & 0xffffU) != 0 || size == 0) {
        unknown(encoding);  // saved registers in a numbered order: compilers alone write that
    }
    const std::uint32_t high = size >> 7U;
    return {0x0e, static_cast<std::uint8_t>((size & 0x7fU) | (high != 0 ? 0x80U : 0U)),  // DW_CFA_def_cfa_offset
            static_cast<std::uint8_t>(high)};  // of a small size: DW_CFA_nop
}

std::vector<std::uint8_t> rules(std::uint32_t encoding) {
    const std::uint32_t mode = encoding & MODE_MASK;
    if ((encoding & ~NOT_FUNCTION_START & 0xf0000000U) != 0) {
        throw Error("a function has a personality routine or landing pads, which this loader does not run");
    }
    switch (mode) {
        case FRAME_POINTER:
            return with_frame_pointer(encoding);
        case NO_FRAME:
            return without_frame_pointer(encoding);
        default:
            unknown(encoding);
    }
}

}  // namespace

std::vector<std::byte> frame_records(const Image& image, std::uint64_t slide) {
    Records records;
    bool any = false;
    for (const UnwindRange& range : read_unwind_info(image)) {
        const std::uint32_t mode = range.encoding & MODE_MASK;
        if (mode != NO_RULE && mode != DWARF && range.end > range.start) {
            records.add(range.start + slide, range.end - range.start, rules(range.encoding));
            any = true;
        }
    }
    return any ? records.finish() : std::vector<std::byte>{};
}

}  // namespace macho_loader
