// The check of whole files: reads modules and wheels, applies the rules, silences, and finds lines in the source.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inspect/expectations.hpp"
#include "inspect/report/report.hpp"
#include "inspect/silence.hpp"

namespace nasm_build::inspect {

struct CheckOptions {
    unsigned threads = 0;  ///< how many files are checked at once; 0: as many as the machine has processors
    CommandLineExpectations expected;
    bool read_all_code = false;  ///< look at the code of large modules too, which costs time
    bool verify_conventions = false;  ///< follow every path of the code, which costs time
    std::vector<std::string> objects;  ///< the objects that the module was linked from: they know the source's lines
    std::vector<Suppression> suppressions;
};

/// Checks every file, those of folders and patterns too (find_files.hpp), many at once and told in the order given; a
/// wheel gives one entry a module. A file that cannot be read is an entry too. Throws Error for a path that names nothing, and
/// when an object cannot be read: the caller named it, so it is the caller's to mend.
[[nodiscard]] Report check_files(std::span<const std::string> paths, const CheckOptions& options);

/// An object that a module was linked from, in memory.
struct ObjectInMemory {
    std::string path;  ///< what it is called
    std::span<const std::byte> bytes;
};

/// The same for one file whose bytes are in memory; `path` is what it is called, and nothing is read there. `objects` are added to
/// those of the options.
[[nodiscard]] Report check_bytes(const std::string& path, std::span<const std::byte> bytes, const CheckOptions& options,
                                 std::span<const ObjectInMemory> objects = {});

}  // namespace nasm_build::inspect
