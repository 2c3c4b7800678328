#include "inspect/rules/entry_names.hpp"

#include <algorithm>
#include <array>

#include "inspect/rules/punycode.hpp"

namespace nasm_build::inspect {

namespace {

constexpr auto prefixes = std::to_array<std::string_view>({"PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_"});

}  // namespace

EntryNames entry_names(std::string_view leaf) {
    EntryNames names;
    names.is_ascii = std::all_of(leaf.begin(), leaf.end(), [](char letter) { return (letter & 0x80) == 0; });
    std::string encoded(leaf);
    if (!names.is_ascii) {
        encoded = punycode(leaf).value_or(encoded);
        std::replace(encoded.begin(), encoded.end(), '-', '_');
    }
    names.init = (names.is_ascii ? "PyInit_" : "PyInitU_") + encoded;
    names.module_export = (names.is_ascii ? "PyModExport_" : "PyModExportU_") + encoded;
    return names;
}

bool is_entry_name(std::string_view name) noexcept {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string_view module_of_entry(std::string_view name) noexcept {
    return is_entry_name(name) ? name.substr(name.find('_') + 1) : std::string_view();
}

}  // namespace nasm_build::inspect
