// PE, after Microsoft's "PE Format": the headers, and what the sixteen directories lead to.
#include "layout.hpp"

namespace nasm_build::fuzz {

namespace {

class Pe {
public:
    explicit Pe(LayoutBuilder& file)
        : file_(file),
          header_(file.u32(60)),
          optional_(header_ + 24),
          optional_size_(file.u16(header_ + 20)),
          section_count_(file.u16(header_ + 6)),
          sections_(optional_ + optional_size_),
          is_plus_(file.u16(optional_) == 0x20B),
          directories_(optional_ + (is_plus_ ? 112 : 96)) {}

    void lay_out() {
        file_.add("DOS header", 0, 64, 1, shape<2, 2, 4, 8, 8, 8, 8, 8, 8, 4, 4>);
        file_.add("COFF header", header_, 24, 1, shape<4, 2, 2, 4, 4, 4, 2, 2>);
        if (is_plus_) {
            file_.add("optional header", optional_, 112, 1,
                      shape<2, 1, 1, 4, 4, 4, 4, 4, 8, 4, 4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 2, 2, 8, 8, 8, 8, 4, 4>);
        } else {
            file_.add("optional header", optional_, 96, 1,
                      shape<2, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 2, 2, 4, 4, 4, 4, 4, 4>);
        }
        file_.add("directory", directories_, 8, 16, shape<4, 4>);
        file_.add("section header", sections_, 40, section_count_, shape<8, 4, 4, 4, 4, 4, 4, 2, 2, 4>);
        for (std::size_t index = 0; index < 16; ++index) {
            const std::size_t size = file_.u32(directories_ + index * 8 + 4);
            if (const std::size_t at = offset_of(file_.u32(directories_ + index * 8)); at != 0 && size != 0) {
                lay_out_directory(index, at, size);
            }
        }
    }

private:
    [[nodiscard]] std::size_t offset_of(std::size_t address) const {
        for (std::size_t i = 0; i < section_count_; ++i) {
            const std::size_t at = sections_ + i * 40;
            const std::size_t start = file_.u32(at + 12);
            if (address >= start && address - start < file_.u32(at + 16)) {
                return file_.u32(at + 20) + address - start;
            }
        }
        return 0;
    }

    void lay_out_directory(std::size_t index, std::size_t at, std::size_t size) {
        switch (index) {
            case 0:
                lay_out_exports(at, size);
                break;
            case 1:
                lay_out_imports("import descriptor", at, 20, size / 20, shape<4, 4, 4, 4, 4>, {0, 16});
                break;
            case 3:
                file_.add("function table", at, 12, size / 12, shape<4, 4, 4>);
                lay_out_unwind(at);
                break;
            case 5:
                file_.add("relocation block", at, 8, 1, shape<4, 4>);
                file_.add("relocation", at + 8, 2, (size - 8) / 2, shape<2>);
                break;
            case 6:
                file_.add("debug directory", at, 28, size / 28, shape<4, 4, 2, 2, 4, 4, 4, 4>);
                break;
            case 9:
                lay_out_pointers("TLS directory", at, size);
                break;
            case 10:
                file_.add_words("load configuration", at, size);
                break;
            case 12:
                lay_out_pointers("import address", at, size);
                break;
            case 13:
                lay_out_imports("delay-import descriptor", at, 32, size / 32, shape<4, 4, 4, 4, 4, 4, 4, 4>, {12, 16});
                break;
            default:
                file_.add_words("directory's contents", at, size);
                break;
        }
    }

    void lay_out_exports(std::size_t at, std::size_t size) {
        file_.add("export directory", at, 40, 1, shape<4, 4, 2, 2, 4, 4, 4, 4, 4, 4, 4>);
        const std::size_t functions = file_.u32(at + 20);
        const std::size_t names = file_.u32(at + 24);
        file_.add("export address", offset_of(file_.u32(at + 28)), 4, functions, shape<4>);
        file_.add("export name", offset_of(file_.u32(at + 32)), 4, names, shape<4>);
        file_.add("export ordinal", offset_of(file_.u32(at + 36)), 2, names, shape<2>);
        if (size > 40) {
            file_.add_bytes("export text", at + 40, size - 40);
        }
    }

    void lay_out_imports(std::string_view name, std::size_t at, std::size_t entry, std::size_t count,
                         std::span<const FieldShape> fields, std::array<std::size_t, 2> tables) {
        file_.add(name, at, entry, count, fields);
        for (std::size_t i = 0; i < count && i < 64; ++i) {
            for (const std::size_t table : tables) {
                if (const std::size_t thunks = offset_of(file_.u32(at + i * entry + table)); thunks != 0) {
                    lay_out_pointers("import thunk", thunks, std::size_t{8} * (is_plus_ ? 8U : 4U));
                }
            }
        }
    }

    void lay_out_unwind(std::size_t functions) {
        if (const std::size_t at = offset_of(file_.u32(functions + 8)); at != 0) {
            file_.add_bytes("unwind data", at, 16);
        }
    }

    void lay_out_pointers(std::string_view name, std::size_t at, std::size_t size) {
        if (is_plus_) {
            file_.add(name, at, 8, size / 8, shape<8>);
        } else {
            file_.add(name, at, 4, size / 4, shape<4>);
        }
    }

    LayoutBuilder& file_;
    std::size_t header_;
    std::size_t optional_;
    std::size_t optional_size_;
    std::size_t section_count_;
    std::size_t sections_;
    bool is_plus_;
    std::size_t directories_;
};

}  // namespace

void lay_out_pe(LayoutBuilder& file) {
    Pe(file).lay_out();
}

}  // namespace nasm_build::fuzz
