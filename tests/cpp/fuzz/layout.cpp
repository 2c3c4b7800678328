// Small tables count as often as large ones: whoever damages a file picks a table first, then a field in it.
#include "layout.hpp"

#include <algorithm>
#include <cstring>

namespace nasm_build::fuzz {

std::size_t LayoutBuilder::number(std::size_t at, std::size_t width) const noexcept {
    std::uint64_t value = 0;
    if (at <= file_.size() && width <= file_.size() - at) {
        std::memcpy(&value, file_.data() + at, width);  // little-endian hosts only, as the machines that run this are
    }
    return value;
}

std::size_t LayoutBuilder::big32(std::size_t at) const noexcept {
    return u8(at) << 24U | u8(at + 1) << 16U | u8(at + 2) << 8U | u8(at + 3);
}

void LayoutBuilder::add(std::string_view name, std::size_t offset, std::size_t entry_size, std::size_t count,
                        std::span<const FieldShape> fields, bool big_endian) {
    constexpr std::size_t most_tables = 4096;
    if (offset >= file_.size() || tables_.size() >= most_tables) {
        return;
    }
    count = std::min(count, (file_.size() - offset) / entry_size);
    if (count != 0) {
        tables_.push_back({name, offset, entry_size, count, fields, big_endian});
    }
}

Layout layout_of(std::span<const std::byte> bytes) {
    LayoutBuilder file(bytes);
    switch (file.u32(0)) {
        case 0x464C457F:
            lay_out_elf(file);
            break;
        case 0xFEEDFACF:
        case 0xFEEDFACE:
            lay_out_macho(file, 0);
            break;
        case 0xBEBAFECA:
        case 0xBFBAFECA:
            lay_out_fat(file);
            break;
        case 0x04034B50:
            lay_out_zip(file);
            break;
        default:
            if (file.u16(0) == 0x5A4D) {
                lay_out_pe(file);
            } else if (file.u16(0) == 0x8664 && file.u16(16) == 0) {
                lay_out_coff(file);
            }
    }
    Layout layout = file.take();
    if (layout.empty()) {
        LayoutBuilder whole(bytes);
        whole.add_bytes("file", 0, bytes.size());
        layout = whole.take();
    }
    return layout;
}

}  // namespace nasm_build::fuzz
