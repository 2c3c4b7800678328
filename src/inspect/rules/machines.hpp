// What a target's name asks of a file: format, machine, size of a pointer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inspect/image.hpp"
#include "toolchain/target.hpp"

namespace nasm_build::inspect {

struct MachinePromise {
    Format format = Format::elf;
    std::vector<Machine> machines;  ///< all of them (`universal2`); empty where the machine is not one that is known
};

/// Nothing for a system whose binaries are none of the three formats.
[[nodiscard]] std::optional<MachinePromise> machine_promise(const toolchain::Target& target);

}  // namespace nasm_build::inspect
