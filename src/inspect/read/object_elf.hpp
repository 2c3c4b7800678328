// An ELF64 object for x86-64, read raw: its sections, symbols and relocations, each within the file.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_view.hpp"
#include "inspect/read/guard.hpp"
#include "inspect/read/guard_elf.hpp"
#include "inspect/read/line_table.hpp"
#include "inspect/read/object.hpp"

namespace nasm_build::inspect::elf {

struct Relocation {
    std::uint64_t place = 0;
    std::uint64_t symbol = 0;
    std::uint32_t type = 0;
    std::int64_t addend = 0;
};

/// The object's tables, each within the file.
class Object {
public:
    /// Throws Error when the file is not one that can be read.
    explicit Object(ByteView file);

    [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
    [[nodiscard]] std::uint64_t symbol_count() const noexcept { return symbols_.size() / symbol_size; }

    [[nodiscard]] ByteView content(const SectionHeader& section) const {
        return section.type == sht_nobits ? ByteView{} : file_.part(section.offset, section.size);
    }

    [[nodiscard]] std::string_view section_name(std::uint32_t index) const {
        return names_.text(layout_.sections[index].name).value_or(std::string_view{});
    }

    [[nodiscard]] std::string_view symbol_name(std::uint64_t symbol) const {
        return symbol_names_.text(symbols_.load<std::uint32_t>(symbol * symbol_size)).value_or(std::string_view{});
    }

    [[nodiscard]] std::uint16_t symbol_section(std::uint64_t symbol) const {
        return symbols_.load<std::uint16_t>(symbol * symbol_size + 6);
    }

    [[nodiscard]] std::uint8_t symbol_info(std::uint64_t symbol) const {
        return symbols_.load<std::uint8_t>(symbol * symbol_size + 4);
    }

    [[nodiscard]] std::uint64_t symbol_value(std::uint64_t symbol) const {
        return symbols_.load<std::uint64_t>(symbol * symbol_size + 8);
    }

    /// Calls `visit` with each relocation of a section's table.
    template <typename Visit>
    void for_each_relocation(const SectionHeader& table, const Visit& visit) const {
        constexpr std::uint64_t size = 24;
        const ByteView bytes = content(table);
        for (std::uint64_t at = 0; at + size <= bytes.size(); at += size) {
            const auto info = bytes.load<std::uint64_t>(at + 8);
            const std::uint64_t symbol = info >> 32U;
            if (symbol >= symbol_count()) {
                fail_damaged(fmt::format("a relocation refers to symbol {} of {}", symbol, symbol_count()));
            }
            visit(Relocation{bytes.load<std::uint64_t>(at), symbol, static_cast<std::uint32_t>(info),
                             static_cast<std::int64_t>(bytes.load<std::uint64_t>(at + 16))});
        }
    }

private:
    static constexpr std::uint64_t symbol_size = 24;

    void find_symbols();

    ByteView file_;
    Layout layout_;
    ByteView names_;
    ByteView symbols_;
    ByteView symbol_names_;
};

/// The object's `.debug_line`; empty when it has none that can be read.
[[nodiscard]] LineTable read_lines(const Object& object);

/// See `code_of_object`.
[[nodiscard]] std::vector<ObjectCode> code_of(std::span<const std::byte> object);

}  // namespace nasm_build::inspect::elf
