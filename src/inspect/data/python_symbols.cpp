// The generated table as data that needs no work at start: names as offsets into one block, so that a position
// independent executable has no relocation for them, found by binary search.
#include "inspect/data/python_symbols.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nasm_build::inspect {

namespace {

// One array a name, of exactly its size: a single literal would be longer than compilers must take.
struct Names {
#define PYTHON_SYMBOL(index, name, linux, macos, windows, free_threaded, debug, since, flags) \
    char name_##index[sizeof(name)];
#include "inspect/data/python_symbols.inc"
#undef PYTHON_SYMBOL
};

constexpr Names names = {
#define PYTHON_SYMBOL(index, name, linux, macos, windows, free_threaded, debug, since, flags) name,
#include "inspect/data/python_symbols.inc"
#undef PYTHON_SYMBOL
};

struct Row {
    std::uint32_t offset;
    std::uint16_t length;
    std::array<std::uint16_t, 3> exported;  // in the order of PythonPlatform; bit n is CPython 3.(n + 6)
    std::uint16_t free_threaded_only;
    std::uint16_t debug_only;
    std::uint8_t stable_since;
    std::uint8_t stable_flags;
};

constexpr auto rows = std::to_array<Row>({
#define PYTHON_SYMBOL(index, name, linux, macos, windows, free_threaded, debug, since, flags) \
    {offsetof(Names, name_##index),                                                           \
     static_cast<std::uint16_t>(sizeof(name) - 1),                                            \
     {linux, macos, windows},                                                                 \
     free_threaded,                                                                           \
     debug,                                                                                   \
     since,                                                                                   \
     flags},
#include "inspect/data/python_symbols.inc"
#undef PYTHON_SYMBOL
});

constexpr unsigned data_flag = 1;
constexpr unsigned abi_only_flag = 2;
constexpr unsigned condition_shift = 2;

std::string_view name_at(const Row& row) noexcept {
    return {reinterpret_cast<const char*>(&names) + row.offset, row.length};
}

bool has(unsigned mask, unsigned minor) noexcept {
    return minor >= oldest_known_minor && minor <= newest_known_minor && ((mask >> (minor - oldest_known_minor)) & 1U);
}

}  // namespace

std::string_view PythonSymbol::name() const noexcept {
    return name_at(rows[index_]);
}

bool PythonSymbol::exported_by(const PythonExports& python) const noexcept {
    const Row& row = rows[index_];
    return has(row.exported[static_cast<std::size_t>(python.platform)], python.minor) ||
           (python.free_threaded && has(row.free_threaded_only, python.minor)) ||
           (python.debug && has(row.debug_only, python.minor));
}

bool PythonSymbol::known_in(unsigned minor) const noexcept {
    const Row& row = rows[index_];
    const unsigned anywhere = static_cast<unsigned>(row.exported[0]) | row.exported[1] | row.exported[2];
    return has(anywhere | row.free_threaded_only | row.debug_only, minor);
}

std::optional<unsigned> PythonSymbol::stable_since() const noexcept {
    const unsigned since = rows[index_].stable_since;
    return since == 0 ? std::nullopt : std::optional<unsigned>(since);
}

StableCondition PythonSymbol::stable_condition() const noexcept {
    return static_cast<StableCondition>(rows[index_].stable_flags >> condition_shift);
}

bool PythonSymbol::is_stable_data() const noexcept {
    return (rows[index_].stable_flags & data_flag) != 0;
}

bool PythonSymbol::is_abi_only() const noexcept {
    return (rows[index_].stable_flags & abi_only_flag) != 0;
}

std::optional<PythonSymbol> find_python_symbol(std::string_view name) noexcept {
    const auto found = std::lower_bound(rows.begin(), rows.end(), name,
                                        [](const Row& row, std::string_view wanted) { return name_at(row) < wanted; });
    if (found == rows.end() || name_at(*found) != name) {
        return std::nullopt;
    }
    return PythonSymbol(static_cast<std::size_t>(found - rows.begin()));
}

std::vector<PythonSymbol> all_python_symbols() {
    std::vector<PythonSymbol> symbols;
    symbols.reserve(rows.size());
    for (std::size_t index = 0; index < rows.size(); ++index) {
        symbols.emplace_back(index);
    }
    return symbols;
}

}  // namespace nasm_build::inspect
