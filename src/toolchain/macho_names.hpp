// Which symbols of a Mach-O object name functions and data, and which are labels.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "toolchain/macho_layout.hpp"

namespace nasm_build::toolchain {

inline constexpr std::uint64_t unwind_record_size = 32;

/// An address of one section.
struct MachoPlace {
    std::size_t section = 0;  ///< from 1 on, as symbols count them
    std::uint64_t address = 0;

    friend auto operator<=>(const MachoPlace&, const MachoPlace&) = default;
};

/// What a record of __compact_unwind says to be one function.
struct MachoFunction {
    MachoPlace start;
    std::uint64_t length = 0;
};

/// Those whose records name them by place, sorted by it.
[[nodiscard]] std::vector<MachoFunction> functions_with_unwind_data(const ObjectBytes& bytes,
                                                                    const MachoLayout& layout);

/// The symbols of one object that name something, and what labels can be reached from. `layout` must outlive it.
class MachoNames {
public:
    MachoNames(const MachoLayout& layout, const std::vector<MachoFunction>& functions);

    /// Whether the symbol is more than a label, and stays whatever refers to it.
    [[nodiscard]] bool is_name(std::uint32_t symbol) const { return names_[symbol]; }

    /// The symbol that a label can be reached from: in code the name before it, in data one of the same place.
    [[nodiscard]] std::optional<std::uint32_t> anchor(std::uint32_t label) const;

private:
    void sort_anchors();
    [[nodiscard]] std::vector<std::uint32_t> functions_with_a_dot(const std::vector<MachoFunction>& functions) const;
    [[nodiscard]] const std::uint32_t* last_anchor(const MachoSymbol& symbol) const;

    const MachoLayout& layout_;
    std::vector<bool> names_;
    std::vector<std::uint32_t> anchors_;  // sorted by place
};

}  // namespace nasm_build::toolchain
