// COFF objects, after Microsoft's "PE Format": headers, symbols, and what the sections of debug data hold.
#include "layout.hpp"

namespace nasm_build::fuzz {

namespace {

constexpr std::size_t header_size = 20, section_size = 40, symbol_size = 18, relocation_size = 10;

// `.debug$S` as bytes and as the words that its subsections are made of.
void lay_out_section(LayoutBuilder& file, std::size_t header) {
    const bool is_debug_data = file.u64(header) == 0x532467756265642E;  // .debug$S
    const std::size_t size = file.u32(header + 16);
    const std::size_t start = file.u32(header + 20);
    if (is_debug_data && start != 0) {
        file.add_bytes("debug data", start, size);
        file.add_words("debug words", start, size);
    }
    file.add("relocation", file.u32(header + 24), relocation_size, file.u16(header + 32), shape<4, 4, 2>);
}

}  // namespace

void lay_out_coff(LayoutBuilder& file) {
    const std::size_t count = file.u16(2);
    file.add("COFF header", 0, header_size, 1, shape<2, 2, 4, 4, 4, 2, 2>);
    file.add("section header", header_size, section_size, count, shape<8, 4, 4, 4, 4, 4, 4, 2, 2, 4>);
    for (std::size_t index = 0; index < count; ++index) {
        lay_out_section(file, header_size + index * section_size);
    }
    file.add("symbol", file.u32(8), symbol_size, file.u32(12), shape<4, 4, 4, 2, 2, 1, 1>);
}

}  // namespace nasm_build::fuzz
