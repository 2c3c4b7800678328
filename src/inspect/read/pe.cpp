// LIEF's view of a PE file into an Image, compared with what the headers promise.
#include "inspect/read/pe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inspect/read/contents.hpp"
#include "inspect/read/entry_code.hpp"
#include "inspect/read/entry_point_names.hpp"
#include "inspect/read/guard_pe.hpp"
#include "inspect/read/lief_compat.hpp"

namespace nasm_build::inspect::pe {

namespace {

using lief::number_of;

/// The file as LIEF is given it: without the directories that are not read from it, COFF symbols, DOS stub and overlay.
std::vector<std::uint8_t> bytes_for_lief(ByteView file, const Layout& layout, const Tables& tables) {
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < layout.directories.size(); ++i) {
        if (i != export_directory && i != import_directory && i != delay_import_directory &&
            i != import_address_directory) {
            edits.push_back({layout.directories.at(i).header_offset, 0, 8});
        }
    }
    edits.push_back({layout.file_header + 8, 0, 8});  // COFF symbols
    std::uint64_t end_of_last = layout.headers_size;
    for (const SectionHeader& section : layout.sections) {
        if (section.file_size == 0) {
            // LIEF copies what lies between a section and the next one: an empty section has no place that this counts from.
            edits.push_back({section.header_offset + 20, end_of_last, 4});
        } else {
            end_of_last = std::uint64_t{section.offset} + section.file_size;
        }
    }
    // The Rich header of Microsoft's linker lies in the DOS stub, before the PE signature.
    for (std::uint64_t at = 64; at + 8 <= layout.file_header - 4; at += 8) {
        edits.push_back({at, 0, 8});
    }
    if (tables.delayed_end != 0) {
        // The loader's helper stops at a row without a name; LIEF takes every row that is not all zeros for a library.
        for (std::uint64_t at = 0; at < 32; at += 8) {
            edits.push_back({tables.delayed_end + at, 0, 8});
        }
        // No loader looks at the directory's size. LIEF 0.12.3 does, and 1.0.0 wants all of it within one section.
        const std::uint64_t size = (tables.delayed_libraries + 1) * 32;
        edits.push_back({layout.directories.at(delay_import_directory).header_offset + 4, size, 4});
    }
    if (tables.export_table != 0 && tables.name.empty()) {
        // LIEF 0.12.3 drops the exports of a file whose own name is empty, at which no loader looks: "MZ" at 0 serves.
        edits.push_back({tables.export_table + 12, 0, 4});
    }
    return edited_copy(file, layout.end_of_sections, edits);
}

template <typename Libraries>
std::uint64_t read_imports(const Libraries& libraries, bool delayed, Image& image) {
    std::uint64_t symbols = 0;
    for (const auto& library : libraries) {
        if (library.name().empty()) {
            continue;  // so does LIEF 1.0.0 give a delayed library whose name it refuses; 0.12.3 leaves it out
        }
        image.libraries.push_back({library.name(), false, delayed});
        for (const auto& entry : library.entries()) {
            const std::string name = entry.is_ordinal() ? fmt::format("#{}", entry.ordinal()) : entry.name();
            image.imports.push_back({name, library.name(), "", false, false, false});
            ++symbols;
        }
    }
    return symbols;
}

void read_all_imports(const LIEF::PE::Binary& binary, const Tables& tables, Image& image) {
    const std::uint64_t symbols = read_imports(binary.imports(), false, image);
    require_agreement(image.libraries.size(), tables.imported_libraries, "imported libraries");
    require_agreement(symbols, tables.imported_symbols, "imported symbols");
    const std::uint64_t delayed = read_imports(binary.delay_imports(), true, image);
    require_agreement(image.libraries.size() - tables.imported_libraries, tables.delayed_libraries,
                      "delayed libraries");
    require_agreement(delayed, tables.delayed_symbols, "delayed imports");
}

void compare_exports(const LIEF::PE::Binary& binary, const Tables& tables) {
    std::uint64_t exports = 0;
    if (const auto* table = lief::export_table(binary)) {
        for (const auto& entry : table->entries()) {
            static_cast<void>(entry);
            ++exports;
        }
    }
    require_agreement(exports, tables.export_addresses, "exports");
}

void read_memory(const LIEF::PE::Binary& binary, const Layout& layout, Image& image) {
    for (const auto& section : binary.sections()) {
        const auto flags = number_of(section.characteristics());
        const std::uint64_t size = section.virtual_size() != 0 ? section.virtual_size() : section.sizeof_raw_data();
        image.memory.push_back({section.name(), section.virtual_address(), size, (flags & section_readable) != 0,
                                (flags & section_writable) != 0, (flags & section_executable) != 0});
    }
    require_agreement(image.memory.size(), layout.sections.size(), "sections");
}

FileKind kind_of_file(std::uint16_t characteristics) noexcept {
    if ((characteristics & file_is_dll) != 0) {
        return FileKind::shared_library;
    }
    return (characteristics & file_is_executable) != 0 ? FileKind::executable : FileKind::other;
}

}  // namespace

Image read(ByteView file, const ReadOptions& options) {
    const Layout layout = check(file);
    NameBudget budget(name_budget(file.size()));
    Tables tables;
    ContentsGatherer gatherer(layout.is_64);
    check_imports(file, layout, tables, budget, gatherer);
    read_exports(file, layout, tables, budget);
    if (options.contents_of_all || std::any_of(tables.exports.begin(), tables.exports.end(),
                                               [](const Export& one) { return looks_like_entry_point(one.name); })) {
        gather_contents(file, layout, gatherer);
    } else {
        gatherer.drop();
    }

    const auto binary = lief::parse_pe(bytes_for_lief(file, layout, tables));
    Image image;
    image.format = Format::pe;
    image.machine = layout.machine;
    image.pointer_bits = layout.is_64 ? 64 : 32;
    image.kind = kind_of_file(layout.characteristics);
    image.file_size = file.size();
    image.soname = tables.name;
    image.pe = read_loading(file, layout);
    read_memory(*binary, layout, image);
    read_all_imports(*binary, tables, image);
    compare_exports(*binary, tables);
    image.exports = std::move(tables.exports);
    image.hidden = std::move(tables.exports_without_name);
    image.contents = gatherer.finish();
    follow_entry_points(image);
    return image;
}

}  // namespace nasm_build::inspect::pe
