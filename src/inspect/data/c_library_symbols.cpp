// The generated table, laid out like the one of Python's symbols: one block of names without relocations, and offsets.
#include "inspect/data/c_library_symbols.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nasm_build::inspect {

namespace {

struct Names {
#define C_LIBRARY_SYMBOL(index, name, is_math) char name_##index[sizeof(name)];
#include "inspect/data/c_library_symbols.inc"
#undef C_LIBRARY_SYMBOL
};

constexpr Names names = {
#define C_LIBRARY_SYMBOL(index, name, is_math) name,
#include "inspect/data/c_library_symbols.inc"
#undef C_LIBRARY_SYMBOL
};

struct Row {
    std::uint32_t offset;
    std::uint16_t length;
    bool is_math;
};

constexpr auto rows = std::to_array<Row>({
#define C_LIBRARY_SYMBOL(index, name, is_math) \
    {offsetof(Names, name_##index), static_cast<std::uint16_t>(sizeof(name) - 1), is_math},
#include "inspect/data/c_library_symbols.inc"
#undef C_LIBRARY_SYMBOL
});

std::string_view name_at(const Row& row) noexcept {
    return {reinterpret_cast<const char*>(&names) + row.offset, row.length};
}

}  // namespace

std::optional<CLibraryPart> find_c_library_symbol(std::string_view name) noexcept {
    const auto found = std::lower_bound(rows.begin(), rows.end(), name,
                                        [](const Row& row, std::string_view wanted) { return name_at(row) < wanted; });
    if (found == rows.end() || name_at(*found) != name) {
        return std::nullopt;
    }
    return found->is_math ? CLibraryPart::math : CLibraryPart::main;
}

}  // namespace nasm_build::inspect
