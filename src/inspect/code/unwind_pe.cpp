#include "inspect/code/unwind_pe.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace nasm_build::inspect::code {

namespace {

constexpr std::uint8_t rsp = 4;
constexpr std::string_view what = "the unwind data of a function";

enum Operation : std::uint8_t {
    push_nonvol = 0,
    alloc_large = 1,
    alloc_small = 2,
    set_fpreg = 3,
    save_nonvol = 4,
    save_nonvol_far = 5,
    epilog = 6,  // version 2
    spare = 7,
    save_xmm128 = 8,
    save_xmm128_far = 9,
    push_machframe = 10,
};

/// What a code did to rsp, at the end of its instruction.
struct Step {
    std::uint8_t offset = 0;  ///< of the next instruction, from the function's beginning
    std::int64_t taken = 0;  ///< bytes of the stack
    bool sets_frame = false;
    bool is_unknown = false;  ///< a frame that the processor made
    std::optional<std::uint8_t> pushed;  ///< the register that a push saves
    std::optional<std::uint8_t> vector;  ///< the xmm register that is saved
    std::int64_t place = 0;  ///< of it: bytes above rsp behind the prologue
};

struct Info {
    std::vector<Step> steps;  ///< in the order of the prologue
    std::uint8_t frame_register = 0;
    std::int64_t frame_offset = 0;
    bool has_handler_alone = false;  ///< code of the module's own finds out what the frame is
    std::uint64_t parent = 0;  ///< the file offset of the RUNTIME_FUNCTION that this one continues; 0 for none
};

Info read_info(ByteView file, const pe::Layout& layout, std::uint32_t unwind) {
    constexpr std::uint8_t chained = 4;
    Info info;
    if ((unwind & 1U) != 0) {
        info.parent = pe::offset_of(file, layout, unwind - 1, 12, what);
        return info;
    }
    const std::uint64_t at = pe::offset_of(file, layout, unwind, 4, what);
    const auto flags = static_cast<std::uint8_t>(file.load<std::uint8_t>(at) >> 3U);
    const unsigned count = file.load<std::uint8_t>(at + 2);
    const auto frame = file.load<std::uint8_t>(at + 3);
    info.frame_register = frame & 0x0FU;
    info.frame_offset = std::int64_t{frame >> 4U} * 16;
    const std::uint64_t codes = at + 4;
    const auto word = [&](unsigned index) { return file.load<std::uint16_t>(codes + std::uint64_t{index} * 2); };
    for (unsigned index = 0; index < count; ++index) {
        const std::uint16_t code = word(index);
        const auto operation = static_cast<std::uint8_t>((code >> 8U) & 0x0FU);
        const auto operand = static_cast<std::uint8_t>(code >> 12U);
        Step step;
        step.offset = static_cast<std::uint8_t>(code & 0xFFU);
        switch (operation) {
            case push_nonvol:
                step.taken = 8;
                step.pushed = operand;
                break;
            case alloc_large:
                step.taken = operand == 0 ? std::int64_t{word(index + 1)} * 8
                                          : std::int64_t{word(index + 1)} + (std::int64_t{word(index + 2)} << 16U);
                index += operand == 0 ? 1 : 2;
                break;
            case alloc_small:
                step.taken = std::int64_t{operand} * 8 + 8;
                break;
            case set_fpreg:
                step.sets_frame = true;
                break;
            case save_nonvol:
                ++index;
                continue;
            case save_nonvol_far:
                index += 2;
                continue;
            case save_xmm128:
                step.vector = operand;
                step.place = std::int64_t{word(index + 1)} * 16;
                ++index;
                break;
            case save_xmm128_far:
                step.vector = operand;
                step.place = std::int64_t{word(index + 1)} + (std::int64_t{word(index + 2)} << 16U);
                index += 2;
                break;
            case push_machframe:
                step.is_unknown = true;
                break;
            default:  // epilog, spare: nothing that a prologue does
                continue;
        }
        info.steps.insert(info.steps.begin(), step);
    }
    constexpr std::uint8_t handlers = 3;
    info.has_handler_alone = (flags & handlers) != 0 && count == 0;
    if ((flags & chained) != 0) {
        info.parent = codes + std::uint64_t{(count + 1) & ~1U} * 2;
    }
    return info;
}

/// A row that grows, code by code.
struct Frame {
    std::int64_t taken = 8;  ///< the return address
    std::uint8_t base = rsp;
    std::int64_t offset = 8;
    bool is_unknown = false;
    std::array<std::int64_t, 16> saved{};
    std::array<std::int32_t, 16> saved_vectors{};
    std::int64_t taken_in_all = 8;  ///< behind the prologue

    void take(const Info& info, const Step& step) {
        taken += step.taken;
        is_unknown = is_unknown || step.is_unknown;
        if (step.pushed) {
            saved.at(*step.pushed) = -taken;
        }
        if (step.vector) {
            saved_vectors.at(*step.vector) = static_cast<std::int32_t>(step.place - taken_in_all);
        }
        if (step.sets_frame) {
            base = info.frame_register;
            offset = taken - info.frame_offset;
        } else if (base == rsp) {
            offset = taken;
        }
    }
    [[nodiscard]] FrameRow row(std::uint64_t address) const {
        FrameRow made;
        made.address = address;
        made.base = is_unknown ? std::nullopt : std::optional(base);
        made.offset = offset;
        made.saved = saved;
        made.saved_vectors = saved_vectors;
        return made;
    }
};

}  // namespace

FrameEntry frame_of(ByteView file, const pe::Layout& layout, std::uint32_t begin, std::uint32_t end,
                    std::uint32_t unwind) {
    constexpr unsigned most_parents = 32;
    const Info own = read_info(file, layout, unwind);
    std::vector<Info> parents;
    for (std::uint64_t at = own.parent; at != 0 && parents.size() < most_parents; at = parents.back().parent) {
        parents.push_back(read_info(file, layout, file.load<std::uint32_t>(at + 8)));
    }
    FrameEntry entry;
    entry.begin = begin;
    entry.end = end;
    entry.hold = RowsHold::but_for_epilogues;
    Frame frame;
    const auto count = [&frame](const Info& info) {
        for (const Step& step : info.steps) {
            frame.taken_in_all += step.taken;
        }
    };
    std::for_each(parents.begin(), parents.end(), count);
    count(own);
    std::reverse(parents.begin(), parents.end());
    for (const Info& parent : parents) {
        for (const Step& step : parent.steps) {
            frame.take(parent, step);
        }
    }
    frame.is_unknown = frame.is_unknown || own.has_handler_alone;
    entry.rows.push_back(frame.row(begin));
    for (const Step& step : own.steps) {
        frame.take(own, step);
        const std::uint64_t address = std::uint64_t{begin} + step.offset;
        if (entry.rows.back().address == address) {
            entry.rows.pop_back();
        }
        entry.rows.push_back(frame.row(address));
    }
    return entry;
}

}  // namespace nasm_build::inspect::code
