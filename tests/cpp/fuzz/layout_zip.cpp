// ZIP, after PKWARE's APPNOTE: each entry's own header, the directory, its end, and the ZIP64 records.
#include <algorithm>

#include "layout.hpp"

namespace nasm_build::fuzz {

void lay_out_zip(LayoutBuilder& file) {
    constexpr std::size_t most_entries = 500;
    const std::size_t end = file.size() < 22 ? 0 : file.size() - 22;
    file.add("end of the directory", end, 22, 1, shape<4, 2, 2, 2, 2, 4, 4, 2>);
    std::size_t at = file.u32(end + 16);
    std::size_t count = file.u16(end + 10);
    if (end >= 20 && file.u32(end - 20) == 0x07064B50) {
        const std::size_t end64 = file.u64(end - 20 + 8);
        file.add("ZIP64 locator", end - 20, 20, 1, shape<4, 4, 8, 4>);
        file.add("ZIP64 end", end64, 56, 1, shape<4, 8, 2, 2, 4, 4, 8, 8, 8, 8>);
        at = file.u64(end64 + 48);
        count = file.u64(end64 + 32);
    }
    for (std::size_t i = 0; i < std::min(count, most_entries) && file.u32(at) == 0x02014B50; ++i) {
        file.add("directory entry", at, 46, 1, shape<4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4>);
        const std::size_t name = file.u16(at + 28);
        const std::size_t extra = file.u16(at + 30);
        file.add_bytes("directory name", at + 46, name);
        file.add("directory extra field", at + 46 + name, 2, extra / 2, shape<2>);
        const std::size_t entry = file.u32(at + 42);
        if (file.u32(entry) == 0x04034B50) {
            const std::size_t text = file.u16(entry + 26);
            file.add("entry header", entry, 30, 1, shape<4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2>);
            file.add_bytes("entry name", entry + 30, text);
            file.add("entry extra field", entry + 30 + text, 2, file.u16(entry + 28) / 2, shape<2>);
            file.add_bytes("packed data", entry + 30 + text + file.u16(entry + 28),
                           std::min<std::size_t>(file.u32(at + 20), 64));
        }
        at += 46 + name + extra + file.u16(at + 32);
    }
}

}  // namespace nasm_build::fuzz
