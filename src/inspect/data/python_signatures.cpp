// The generated table, laid out like the one of Python's symbols: one block of names without relocations, and offsets.
#include "inspect/data/python_signatures.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace nasm_build::inspect {

namespace {

struct Names {
#define PYTHON_SIGNATURE(index, name, arguments, flags) char name_##index[sizeof(name)];
#include "inspect/data/python_signatures.inc"
#undef PYTHON_SIGNATURE
};

constexpr Names names = {
#define PYTHON_SIGNATURE(index, name, arguments, flags) name,
#include "inspect/data/python_signatures.inc"
#undef PYTHON_SIGNATURE
};

struct Row {
    std::uint32_t offset;
    std::uint16_t length;
    std::uint8_t arguments;
    std::uint8_t flags;
};

constexpr auto rows = std::to_array<Row>({
#define PYTHON_SIGNATURE(index, name, arguments, flags) \
    {offsetof(Names, name_##index), sizeof(name) - 1, arguments, flags},
#include "inspect/data/python_signatures.inc"
#undef PYTHON_SIGNATURE
});

std::string_view name_of(const Row& row) noexcept {
    return {reinterpret_cast<const char*>(&names) + row.offset, row.length};
}

}  // namespace

std::optional<PythonSignature> python_signature(std::string_view name) noexcept {
    const auto found = std::lower_bound(rows.begin(), rows.end(), name,
                                        [](const Row& row, std::string_view wanted) { return name_of(row) < wanted; });
    if (found == rows.end() || name_of(*found) != name) {
        return std::nullopt;
    }
    return PythonSignature{found->arguments, (found->flags & 1U) != 0, (found->flags & 2U) != 0,
                           (found->flags & 4U) != 0};
}

}  // namespace nasm_build::inspect
