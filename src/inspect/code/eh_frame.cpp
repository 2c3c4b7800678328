#include "inspect/code/eh_frame.hpp"

#include <unordered_map>

#include "inspect/read/guard.hpp"

namespace nasm_build::inspect::code {

namespace {

// DW_EH_PE: the low half is the form, the next three bits what it is relative to.
constexpr std::uint8_t form_absolute = 0x00, form_udata4 = 0x03, form_udata8 = 0x04, form_sdata4 = 0x0B,
                       form_sdata8 = 0x0C, relative_to_itself = 0x10, omitted = 0xFF;

struct Common {
    FrameEntry entry;  ///< what its entries begin with
    bool has_augmentation = false;
};

std::uint64_t read_form(Cursor& cursor, std::uint8_t encoding) {
    switch (encoding & 0x0FU) {
        case form_absolute:
        case form_udata8:
        case form_sdata8:
            return cursor.read<std::uint64_t>();
        case form_udata4:
            return cursor.read<std::uint32_t>();
        case form_sdata4:
            return static_cast<std::uint64_t>(
                static_cast<std::int64_t>(static_cast<std::int32_t>(cursor.read<std::uint32_t>())));
        default:
            cursor.fail();
            return 0;
    }
}

Common read_common(Cursor cursor, ByteView whole) {
    Common common;
    const auto version = cursor.read<std::uint8_t>();
    const std::string_view augmentation = cursor.read_text();
    common.entry.code_factor = cursor.read_uleb();
    common.entry.data_factor = cursor.read_sleb();
    static_cast<void>(version == 1 ? cursor.read<std::uint8_t>() : cursor.read_uleb());  // return address
    common.has_augmentation = augmentation.starts_with('z');
    const std::uint64_t augmentation_size = common.has_augmentation ? cursor.read_uleb() : 0;
    const std::uint64_t program = cursor.position() + augmentation_size;
    for (const char letter : augmentation) {
        if (letter == 'R') {
            common.entry.encoding = cursor.read<std::uint8_t>();
        } else if (letter == 'L') {
            cursor.skip(1);
        } else if (letter == 'S') {
            common.entry.is_signal_frame = true;
        } else if (letter == 'P') {
            const auto encoding = cursor.read<std::uint8_t>();
            if (encoding != omitted) {
                static_cast<void>(read_form(cursor, encoding));
            }
        }
    }
    if (cursor.failed() || (version != 1 && version != 3) || program > whole.size()) {
        fail_damaged("its unwind table has an entry that cannot be");
    }
    common.entry.common_program = whole.part(program, whole.size() - program);
    return common;
}

}  // namespace

std::vector<FrameEntry> read_eh_frame(ByteView section, std::uint64_t address) {
    std::vector<FrameEntry> entries;
    std::unordered_map<std::uint64_t, Common> commons;
    for (std::uint64_t at = 0; section.holds(at, 4);) {
        const std::uint64_t length = section.load<std::uint32_t>(at);
        if (length == 0) {
            at += 4;  // a terminator; GNU ld leaves those of its inputs in the middle
            continue;
        }
        if (length < 4 || length == 0xFFFFFFFF || !section.holds(at + 4, length)) {
            fail_damaged("its unwind table reaches past its end");
        }
        const ByteView whole = section.part(0, at + 4 + length);
        const std::uint64_t id_at = at + 4;
        const auto id = section.load<std::uint32_t>(id_at);
        at = id_at + length;
        if (id == 0) {
            commons.emplace(id_at - 4, read_common(Cursor(whole, id_at + 4), whole));
            continue;
        }
        const auto common = commons.find(id_at - id);
        if (common == commons.end()) {
            fail_damaged("its unwind table has an entry without a common one");
        }
        Cursor cursor(whole, id_at + 4);
        FrameEntry entry = common->second.entry;
        const std::uint64_t stored = read_form(cursor, entry.encoding);
        const std::uint64_t size = read_form(cursor, entry.encoding & 0x0FU);
        if (common->second.has_augmentation) {
            cursor.skip(cursor.read_uleb());
        }
        if (cursor.failed() || (entry.encoding & 0x60U) != 0) {
            continue;  // encodings that no linker for x86-64 writes
        }
        const bool is_relative = (entry.encoding & 0x70U) == relative_to_itself;
        entry.begin = is_relative ? address + id_at + 4 + stored : stored;
        entry.end = entry.begin + size;
        entry.program = whole.part(cursor.position(), whole.size() - cursor.position());
        entries.push_back(entry);
    }
    return entries;
}

}  // namespace nasm_build::inspect::code
