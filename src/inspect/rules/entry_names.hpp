// The names of a module's entry points, and how they relate to names that are nearly right.
#pragma once

#include <string>
#include <string_view>

namespace nasm_build::inspect {

/// The two functions that CPython looks for (PEP 489; PEP 793 from 3.15 on).
struct EntryNames {
    std::string init;  ///< `PyInit_x`, or `PyInitU_` with punycode
    std::string module_export;  ///< `PyModExport_x`, or `PyModExportU_` with punycode
    bool is_ascii = true;
};

/// The names for a module's last part. A name that is not valid UTF-8 is taken as it is.
[[nodiscard]] EntryNames entry_names(std::string_view leaf);

/// Whether a name is that of an entry point of any module; and that module's name in the name, still encoded.
[[nodiscard]] bool is_entry_name(std::string_view name) noexcept;
[[nodiscard]] std::string_view module_of_entry(std::string_view name) noexcept;

}  // namespace nasm_build::inspect
