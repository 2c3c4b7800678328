// What a path on the command line stands for: a file, a folder with modules and wheels in it, or a pattern.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace nasm_build::inspect {

struct FoundFile {
    std::string path;
    /// It was found in a folder or by a pattern, not named: a library may lie among modules there.
    bool was_searched = false;
};

/// The files of every path, in the order given; those of a folder in the order of their names, each file once.
///
/// A folder is searched with all folders in it for files with a module's or a wheel's name; symbolic links to folders are
/// not followed, hidden folders are passed over. A path that is not there and has `*`, `?` or `[` in it is a pattern, because
/// the shells of Windows expand none: `**` stands for any folders. Throws Error for a pattern that matches nothing, a folder
/// without any such file, and one that cannot be read. A file that is not there is given back as it is.
[[nodiscard]] std::vector<FoundFile> find_files(std::span<const std::string> paths);

}  // namespace nasm_build::inspect
