// Where the code of a build's objects lies in the linked module: its source lines, and which functions are global in the source.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "inspect/code/code_map.hpp"
#include "inspect/finding.hpp"
#include "inspect/read/object.hpp"

namespace nasm_build::inspect::abi {

/// A section of an object, found in the module byte for byte, but for what the linker wrote.
class Sources {
public:
    /// Sections that are not there, or there more than once, are passed over; of one that a linker parted, each piece is looked for
    /// by itself. `objects` must outlive this.
    Sources(std::span<const ObjectCode> objects, const code::CodeMap& map);

    /// Whether one of the objects has the code there.
    [[nodiscard]] bool covers(std::uint64_t address) const noexcept;
    [[nodiscard]] std::optional<SourceLine> line_at(std::uint64_t address) const;

    struct GlobalFunction {
        std::uint64_t address = 0;
        std::string name;
    };
    /// What other objects may call, whether or not the module exports it.
    [[nodiscard]] std::vector<GlobalFunction> globals() const;

private:
    struct Placed {
        const ObjectCode* code = nullptr;
        std::uint64_t begin = 0;  ///< of the piece, in the section
        std::uint64_t end = 0;
        std::uint64_t address = 0;  ///< of the piece in the module
    };
    [[nodiscard]] static const ObjectLines* lines_at(const Placed& piece, std::uint64_t address);

    std::vector<Placed> placed_;
};

}  // namespace nasm_build::inspect::abi
