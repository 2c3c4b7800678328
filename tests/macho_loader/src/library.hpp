// Loaded images: each once a process, as dlopen has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image.hpp"
#include "mapping.hpp"

namespace macho_loader {

/// A file's image, fixed up and ready to run.
struct Library {
    std::vector<std::byte> file;  // which the image's ranges lead into
    Image image;
    Mapping mapping;
    std::vector<std::byte> frame_records;  // its compact unwind data, for the unwinder

    /// The address of an exported function, in this process. Throws Error when it is not in executable memory.
    [[nodiscard]] std::optional<std::uint64_t> function(std::string_view name) const;
};

/// Reads, maps, fixes up and protects, and runs nothing; nobody else sees the result. Throws Error.
Library open_library(const std::string& path);

/// The library of a file, from the first load to the end of the process: its initialisers run once, in the same order
/// as on macOS. Another file at the same path is another library. Throws Error.
const Library& load_library(const std::string& path);

}  // namespace macho_loader
