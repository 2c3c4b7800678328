// Where the headers and tables of a good file lie, and where in each the fields are: what a lying file lies in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace nasm_build::fuzz {

/// A field inside an entry of a table; 1, 2, 4 or 8 bytes wide.
struct FieldShape {
    std::uint16_t offset = 0;
    std::uint8_t width = 0;
};

/// Fields of these widths, one behind the other.
template <std::uint8_t... widths>
inline constexpr auto shape = [] {
    std::array<FieldShape, sizeof...(widths)> fields{};
    std::size_t index = 0;
    std::uint16_t offset = 0;
    for (const std::uint8_t width : {widths...}) {
        fields.at(index++) = {offset, width};
        offset = static_cast<std::uint16_t>(offset + width);
    }
    return fields;
}();

/// Entries of one shape. All of them lie in the file.
struct Table {
    std::string_view name;
    std::size_t offset = 0;
    std::size_t entry_size = 1;
    std::size_t count = 0;
    std::span<const FieldShape> fields;
    bool big_endian = false;

    [[nodiscard]] std::size_t size() const noexcept { return entry_size * count; }
};

using Layout = std::vector<Table>;

/// The structured parts of an ELF, PE, COFF, Mach-O or ZIP file, at least one of any file that is not empty. Meant for files that a
/// linker made; bounded for others.
[[nodiscard]] Layout layout_of(std::span<const std::byte> file);

/// Reads a good file's own numbers while its layout is found: 0 where there is none. Tables are clipped to the file.
class LayoutBuilder {
public:
    explicit LayoutBuilder(std::span<const std::byte> file) : file_(file) {}

    [[nodiscard]] std::size_t size() const noexcept { return file_.size(); }
    [[nodiscard]] std::size_t u8(std::size_t at) const noexcept { return number(at, 1); }
    [[nodiscard]] std::size_t u16(std::size_t at) const noexcept { return number(at, 2); }
    [[nodiscard]] std::size_t u32(std::size_t at) const noexcept { return number(at, 4); }
    [[nodiscard]] std::size_t u64(std::size_t at) const noexcept { return number(at, 8); }
    [[nodiscard]] std::size_t big32(std::size_t at) const noexcept;

    void add(std::string_view name, std::size_t offset, std::size_t entry_size, std::size_t count,
             std::span<const FieldShape> fields, bool big_endian = false);
    void add_bytes(std::string_view name, std::size_t offset, std::size_t size) {
        add(name, offset, 1, size, shape<1>);
    }
    void add_words(std::string_view name, std::size_t offset, std::size_t size) {
        add(name, offset, 4, size / 4, shape<4>);
    }

    [[nodiscard]] Layout take() noexcept { return std::move(tables_); }

private:
    [[nodiscard]] std::size_t number(std::size_t at, std::size_t width) const noexcept;

    std::span<const std::byte> file_;
    Layout tables_;
};

void lay_out_coff(LayoutBuilder& file);
void lay_out_elf(LayoutBuilder& file);
void lay_out_pe(LayoutBuilder& file);
void lay_out_macho(LayoutBuilder& file, std::size_t start);
void lay_out_fat(LayoutBuilder& file);
void lay_out_zip(LayoutBuilder& file);

}  // namespace nasm_build::fuzz
