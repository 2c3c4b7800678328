#include "inspect/code/eh_frame.hpp"

#include <optional>
#include <unordered_map>

#include "inspect/read/guard.hpp"

namespace nasm_build::inspect::code {

namespace {

// DW_EH_PE: the low half is the form, the next three bits what it is relative to.
constexpr std::uint8_t form_absolute = 0x00, form_udata4 = 0x03, form_udata8 = 0x04, form_sdata4 = 0x0B,
                       form_sdata8 = 0x0C, relative_to_itself = 0x10, omitted = 0xFF;

struct Common {
    std::uint8_t encoding = form_absolute;
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

Common read_common(ByteView section, Cursor cursor) {
    Common common;
    const auto version = cursor.read<std::uint8_t>();
    const std::string_view augmentation = cursor.read_text();
    static_cast<void>(cursor.read_uleb());  // code alignment
    static_cast<void>(cursor.read_sleb());  // data alignment
    static_cast<void>(version == 1 ? cursor.read<std::uint8_t>() : cursor.read_uleb());  // return address
    common.has_augmentation = augmentation.starts_with('z');
    if (common.has_augmentation) {
        static_cast<void>(cursor.read_uleb());
    }
    for (const char letter : augmentation) {
        if (letter == 'R') {
            common.encoding = cursor.read<std::uint8_t>();
        } else if (letter == 'L') {
            cursor.skip(1);
        } else if (letter == 'P') {
            const auto encoding = cursor.read<std::uint8_t>();
            if (encoding != omitted) {
                static_cast<void>(read_form(cursor, encoding));
            }
        }
    }
    if (cursor.failed() || (version != 1 && version != 3)) {
        fail_damaged("its unwind table has an entry that cannot be");
    }
    static_cast<void>(section);
    return common;
}

// A part that another function jumps to starts where the frame is that function's: DW_CFA_def_cfa and its kin come first.
bool starts_in_a_frame(Cursor cursor) {
    const auto first = cursor.read<std::uint8_t>();
    return !cursor.failed() && (first == 0x0C || first == 0x0D || first == 0x0E || first == 0x0F);
}

}  // namespace

void read_eh_frame(ByteView section, std::uint64_t address, std::vector<Start>& starts) {
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
        const ByteView entry = section.part(0, at + 4 + length);
        const std::uint64_t id_at = at + 4;
        const auto id = section.load<std::uint32_t>(id_at);
        at = id_at + length;
        if (id == 0) {
            commons.emplace(id_at - 4, read_common(section, Cursor(entry, id_at + 4)));
            continue;
        }
        const auto common = commons.find(id_at - id);
        if (common == commons.end()) {
            fail_damaged("its unwind table has an entry without a common one");
        }
        Cursor cursor(entry, id_at + 4);
        const std::uint8_t encoding = common->second.encoding;
        const std::uint64_t stored = read_form(cursor, encoding);
        const std::uint64_t size = read_form(cursor, encoding & 0x0FU);
        if (common->second.has_augmentation) {
            cursor.skip(cursor.read_uleb());
        }
        if (cursor.failed() || (encoding & 0x60U) != 0) {
            continue;  // encodings that no linker for x86-64 writes
        }
        const bool is_relative = (encoding & 0x70U) == relative_to_itself;
        starts.push_back({is_relative ? address + id_at + 4 + stored : stored,
                          size,
                          Origin::function,
                          starts_in_a_frame(cursor),
                          {}});
    }
}

}  // namespace nasm_build::inspect::code
