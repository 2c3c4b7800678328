// What the readers are asked for beyond the facts that they always give.
#pragma once

namespace nasm_build::inspect {

struct ReadOptions {
    /// What memory holds once the loader is done is gathered of a file with an entry point: `Image::contents`. With this it is
    /// gathered of every library for 64 bits, and of ELF executables.
    bool contents_of_all = false;
};

}  // namespace nasm_build::inspect
