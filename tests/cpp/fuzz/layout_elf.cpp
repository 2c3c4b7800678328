// ELF, after the gABI: found through the section headers, and once more through the dynamic section, which is what loaders use.
#include <algorithm>

#include "layout.hpp"

namespace nasm_build::fuzz {

namespace {

constexpr std::uint32_t no_bits = 8;

class Elf {
public:
    explicit Elf(LayoutBuilder& file) : file_(file), is_64_(file.u8(4) == 2) {}

    void lay_out() {
        if (is_64_) {
            file_.add("ELF header", 0, 64, 1, shape<4, 1, 1, 1, 1, 8, 2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2>);
        } else {
            file_.add("ELF header", 0, 52, 1, shape<4, 1, 1, 1, 1, 8, 2, 2, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2>);
        }
        lay_out_segments();
        lay_out_sections();
    }

private:
    [[nodiscard]] std::size_t word(std::size_t at) const { return is_64_ ? file_.u64(at) : file_.u32(at); }

    void lay_out_segments() {
        const std::size_t start = is_64_ ? file_.u64(32) : file_.u32(28);
        const std::size_t size = is_64_ ? 56 : 32;
        const std::size_t count = file_.u16(is_64_ ? 56 : 44);
        if (is_64_) {
            file_.add("program header", start, size, count, shape<4, 4, 8, 8, 8, 8, 8, 8>);
        } else {
            file_.add("program header", start, size, count, shape<4, 4, 4, 4, 4, 4, 4, 4>);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = start + i * size;
            const std::size_t offset = is_64_ ? file_.u64(at + 8) : file_.u32(at + 4);
            const std::size_t length = is_64_ ? file_.u64(at + 32) : file_.u32(at + 16);
            if (file_.u32(at) == 1) {
                loads_.push_back({is_64_ ? file_.u64(at + 16) : file_.u32(at + 8), offset, length});
            } else if (file_.u32(at) == 2) {
                add_dynamic(offset, length);
                dynamic_ = {0, offset, length};
            } else if (file_.u32(at) == 4 || file_.u32(at) == 0x6474E553) {
                file_.add_words("note", offset, length);
            }
        }
        lay_out_by_tags();
    }

    // A file without section headers has these tables too.
    void lay_out_by_tags() {
        const std::size_t entry = is_64_ ? 16 : 8;
        for (std::size_t i = 0; i < std::min<std::size_t>(dynamic_.size / entry, 256); ++i) {
            const std::size_t tag = word(dynamic_.offset + i * entry);
            const std::size_t at = offset_of(word(dynamic_.offset + i * entry + entry / 2));
            if (tag == 0 || at == 0) {
                continue;
            }
            switch (tag) {
                case 4:
                case 0x6FFFFEF5:
                    file_.add_words("hash table's head", at, 24);
                    break;
                case 6:
                    add_symbols(at, std::size_t{8} * (is_64_ ? 24U : 16U));
                    break;
                case 7:
                case 17:
                case 23:
                    add_relocations(at, std::size_t{8} * (is_64_ ? 24U : 12U), tag != 17 && is_64_);
                    break;
                case 36:
                    add_pointers("packed relocation", at, 8 * entry / 2);
                    break;
                case 0x6FFFFFF0:
                    file_.add("symbol version", at, 2, 16, shape<2>);
                    break;
                case 0x6FFFFFFC:
                case 0x6FFFFFFE:
                    file_.add("version record", at, 4, 16, shape<2, 2>);
                    break;
                default:
                    break;
            }
        }
    }

    void lay_out_sections() {
        const std::size_t start = is_64_ ? file_.u64(40) : file_.u32(32);
        const std::size_t size = is_64_ ? 64 : 40;
        const std::size_t count = file_.u16(is_64_ ? 60 : 48);
        if (is_64_) {
            file_.add("section header", start, size, count, shape<4, 4, 8, 8, 8, 8, 4, 4, 8, 8>);
        } else {
            file_.add("section header", start, size, count, shape<4, 4, 4, 4, 4, 4, 4, 4, 4, 4>);
        }
        const bool is_object = file_.u16(16) == 1;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = start + i * size;
            const bool is_loaded = (is_64_ ? file_.u64(at + 8) : file_.u32(at + 8)) != 0;
            lay_out_contents(file_.u32(at + 4), is_64_ ? file_.u64(at + 24) : file_.u32(at + 16),
                             is_64_ ? file_.u64(at + 32) : file_.u32(at + 20), is_object && !is_loaded);
        }
    }

    void lay_out_contents(std::size_t type, std::size_t offset, std::size_t size, bool is_debug_data) {
        switch (type) {
            case 1:
                if (is_debug_data) {
                    file_.add_bytes("debug data", offset, size);
                }
                break;
            case 2:
            case 11:
                add_symbols(offset, size);
                break;
            case 4:
            case 9:
                add_relocations(offset, size, type == 4);
                break;
            case 5:
            case 0x6FFFFFF6:
                file_.add_words("hash table", offset, size);
                break;
            case 6:
                add_dynamic(offset, size);
                break;
            case 7:
                file_.add_words("note section", offset, size);
                break;
            case 14:
            case 15:
            case 16:
                add_pointers("array of functions", offset, size);
                break;
            case 19:
                add_pointers("packed relocation", offset, size);
                break;
            case 0x6FFFFFFD:
            case 0x6FFFFFFE:
                file_.add("version record", offset, 4, size / 4, shape<2, 2>);
                break;
            case 0x6FFFFFFF:
                file_.add("symbol version", offset, 2, size / 2, shape<2>);
                break;
            case no_bits:
                break;
            default:
                file_.add_bytes("text", offset, size);
                break;
        }
    }

    void add_dynamic(std::size_t offset, std::size_t size) {
        if (is_64_) {
            file_.add("dynamic entry", offset, 16, size / 16, shape<8, 8>);
        } else {
            file_.add("dynamic entry", offset, 8, size / 8, shape<4, 4>);
        }
    }

    void add_symbols(std::size_t offset, std::size_t size) {
        if (is_64_) {
            file_.add("symbol", offset, 24, size / 24, shape<4, 1, 1, 2, 8, 8>);
        } else {
            file_.add("symbol", offset, 16, size / 16, shape<4, 4, 4, 1, 1, 2>);
        }
    }

    void add_relocations(std::size_t offset, std::size_t size, bool has_addend) {
        if (is_64_ && has_addend) {
            file_.add("relocation", offset, 24, size / 24, shape<8, 4, 4, 8>);
        } else if (is_64_) {
            file_.add("relocation", offset, 16, size / 16, shape<8, 4, 4>);
        } else if (has_addend) {
            file_.add("relocation", offset, 12, size / 12, shape<4, 4, 4>);
        } else {
            file_.add("relocation", offset, 8, size / 8, shape<4, 4>);
        }
    }

    void add_pointers(std::string_view name, std::size_t offset, std::size_t size) {
        if (is_64_) {
            file_.add(name, offset, 8, size / 8, shape<8>);
        } else {
            file_.add(name, offset, 4, size / 4, shape<4>);
        }
    }

    struct Load {
        std::size_t address = 0;
        std::size_t offset = 0;
        std::size_t size = 0;
    };

    [[nodiscard]] std::size_t offset_of(std::size_t address) const {
        for (const Load& load : loads_) {
            if (address >= load.address && address - load.address < load.size) {
                return load.offset + (address - load.address);
            }
        }
        return 0;
    }

    LayoutBuilder& file_;
    bool is_64_;
    std::vector<Load> loads_;
    Load dynamic_;
};

}  // namespace

void lay_out_elf(LayoutBuilder& file) {
    Elf(file).lay_out();
}

}  // namespace nasm_build::fuzz
