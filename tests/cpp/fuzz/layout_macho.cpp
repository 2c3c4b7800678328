// Mach-O, after mach-o/loader.h and dyld's own tables. Every load command is a table of its own.
#include <algorithm>

#include "layout.hpp"

namespace nasm_build::fuzz {

namespace {

class MachO {
public:
    MachO(LayoutBuilder& file, std::size_t start) : file_(file), start_(start), is_64_(file.u32(start) == 0xFEEDFACF) {}

    void lay_out() {
        constexpr std::size_t most_commands = 1000;
        if (is_64_) {
            file_.add("Mach-O header", start_, 32, 1, shape<4, 4, 4, 4, 4, 4, 4, 4>);
        } else {
            file_.add("Mach-O header", start_, 28, 1, shape<4, 4, 4, 4, 4, 4, 4>);
        }
        std::size_t at = start_ + (is_64_ ? 32 : 28);
        const std::size_t count = std::min(file_.u32(start_ + 16), most_commands);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t size = file_.u32(at + 4);
            if (size < 8 || size > file_.size() - std::min(file_.size(), at)) {
                break;
            }
            lay_out_command(at, size);
            at += size;
        }
    }

private:
    void lay_out_command(std::size_t at, std::size_t size) {
        const std::size_t type = file_.u32(at) & 0x7FFFFFFFU;
        switch (type) {
            case 0x19:
                file_.add("segment", at, 72, 1, shape<4, 4, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4>);
                file_.add("section", at + 72, 80, (std::max<std::size_t>(size, 72) - 72) / 80,
                          shape<8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4>);
                if (file_.u32(start_ + 12) == 1) {
                    lay_out_object_sections(at + 72, (std::max<std::size_t>(size, 72) - 72) / 80);
                }
                break;
            case 0x1:
                file_.add("segment", at, 56, 1, shape<4, 4, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4>);
                file_.add("section", at + 56, 68, (std::max<std::size_t>(size, 56) - 56) / 68,
                          shape<8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4, 4>);
                break;
            default:
                file_.add_words("load command", at, size);
                break;
        }
        lay_out_data(type, at);
    }

    // An object's debug data (S_ATTR_DEBUG) and relocations, which linked files have elsewhere.
    void lay_out_object_sections(std::size_t first, std::size_t count) {
        constexpr std::size_t most_sections = 255;
        for (std::size_t i = 0; i < std::min(count, most_sections); ++i) {
            const std::size_t header = first + i * 80;
            if ((file_.u32(header + 64) & 0x02000000U) != 0) {
                file_.add_bytes("debug data", place(header + 48), file_.u64(header + 40));
            }
            file_.add("relocation", place(header + 56), 8, file_.u32(header + 60), shape<4, 4>);
        }
    }

    [[nodiscard]] std::size_t place(std::size_t field) const { return start_ + file_.u32(field); }

    void lay_out_data(std::size_t type, std::size_t at) {
        const std::size_t size = file_.u32(at + 12);
        switch (type) {
            case 0x2:  // LC_SYMTAB
                if (is_64_) {
                    file_.add("nlist", place(at + 8), 16, size, shape<4, 1, 1, 2, 8>);
                } else {
                    file_.add("nlist", place(at + 8), 12, size, shape<4, 1, 1, 2, 4>);
                }
                file_.add_bytes("symbol text", place(at + 16), file_.u32(at + 20));
                break;
            case 0xB:  // LC_DYSYMTAB
                file_.add("indirect symbol", place(at + 56), 4, file_.u32(at + 60), shape<4>);
                break;
            case 0x22:  // LC_DYLD_INFO
                for (std::size_t field = 8; field < 40; field += 8) {
                    file_.add_bytes("dyld opcode", place(at + field), file_.u32(at + field + 4));
                }
                file_.add_bytes("export trie", place(at + 40), file_.u32(at + 44));
                break;
            case 0x33:
                file_.add_bytes("export trie", place(at + 8), size);
                break;
            case 0x34:
                file_.add_words("chained fixup", place(at + 8), size);
                file_.add("chained fixup in halves", place(at + 8), 2, size / 2, shape<2>);
                break;
            case 0x1D:  // the code signature is big-endian
                file_.add("code signature", place(at + 8), 4, size / 4, shape<4>, true);
                break;
            case 0x26:
                file_.add_bytes("function start", place(at + 8), size);
                break;
            case 0x29:
                file_.add("data in code", place(at + 8), 8, size / 8, shape<4, 2, 2>);
                break;
            default:
                break;
        }
    }

    LayoutBuilder& file_;
    std::size_t start_;
    bool is_64_;
};

}  // namespace

void lay_out_macho(LayoutBuilder& file, std::size_t start) {
    MachO(file, start).lay_out();
}

void lay_out_fat(LayoutBuilder& file) {
    constexpr std::size_t most_slices = 16;
    const std::size_t count = std::min(file.big32(4), most_slices);
    const bool is_64 = file.u32(0) == 0xBFBAFECA;
    file.add("fat header", 0, 8, 1, shape<4, 4>, true);
    if (is_64) {
        file.add("slice", 8, 32, count, shape<4, 4, 8, 8, 4, 4>, true);
    } else {
        file.add("slice", 8, 20, count, shape<4, 4, 4, 4, 4>, true);
    }
    for (std::size_t i = 0; i < count; ++i) {
        lay_out_macho(file, is_64 ? file.big32(8 + i * 32 + 12) : file.big32(8 + i * 20 + 8));
    }
}

}  // namespace nasm_build::fuzz
