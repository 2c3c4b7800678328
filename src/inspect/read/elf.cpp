// LIEF's view of an ELF file into an Image, compared with what the headers promise.
#include "inspect/read/elf.hpp"

#include <algorithm>
#include <utility>

#include "inspect/read/contents.hpp"
#include "inspect/read/entry_code.hpp"
#include "inspect/read/guard_elf.hpp"
#include "inspect/read/hidden_elf.hpp"
#include "inspect/read/lief_compat.hpp"
#include "inspect/read/load_facts_elf.hpp"
#include "inspect/read/relocations_elf.hpp"

namespace nasm_build::inspect::elf {

namespace {

using lief::number_of;

constexpr std::size_t text_relocation_limit = 100;
// An entry that means nothing in a shared library: what LIEF shall not follow is renamed to it.
constexpr std::uint64_t dt_debug = 21;

bool is_read_from_lief(std::uint64_t tag) noexcept {
    // Relocations, static symbols, notes and hash tables are read here, bounded: LIEF drops damaged ones silently.
    constexpr std::uint64_t android_and_others_first = 0x6000000D;
    constexpr std::uint64_t android_and_others_last = 0x6FFFE005;
    switch (tag) {
        case dt_rela:
        case dt_rel:
        case dt_jmprel:
        case dt_relr:
        case dt_init_array:
        case dt_fini_array:
        case dt_preinit_array:
        case dt_hash:
        case dt_gnu_hash:
            return false;
        default:
            return tag < android_and_others_first || tag > android_and_others_last;
    }
}

void add_number(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::uint64_t width) {
    for (std::uint64_t i = 0; i < width; ++i) {
        bytes.push_back(static_cast<std::uint8_t>(value >> (8U * i)));
    }
}

/// Section headers for a file whose own were stripped: LIEF 0.12.3 cannot count symbols by a large GNU hash table.
void add_symbol_section(std::vector<std::uint8_t>& bytes, const Layout& layout) {
    const std::uint64_t word = layout.word();
    const std::uint64_t header_size = layout.is_64 ? 64 : 40;
    const std::uint64_t table = bytes.size();
    bytes.insert(bytes.end(), static_cast<std::size_t>(header_size), 0);  // the null section
    add_number(bytes, 0, 4);
    add_number(bytes, sht_dynsym, 4);
    add_number(bytes, shf_alloc, word);
    add_number(bytes, layout.value(dt_symtab), word);
    add_number(bytes, layout.symbols_offset, word);
    add_number(bytes, layout.symbol_count * layout.symbol_size(), word);
    add_number(bytes, 0, 8);
    add_number(bytes, word, word);
    add_number(bytes, layout.symbol_size(), word);
    std::vector<std::uint8_t> field;
    add_number(field, table, word);
    std::copy(field.begin(), field.end(), bytes.begin() + (layout.is_64 ? 40 : 32));
    const std::uint8_t counts[] = {static_cast<std::uint8_t>(header_size), 0, 2, 0, 0, 0};
    std::copy(std::begin(counts), std::end(counts), bytes.begin() + (layout.is_64 ? 58 : 46));
}

/// The file as LIEF is given it: what is not taken from LIEF is switched off.
std::vector<std::uint8_t> bytes_for_lief(ByteView file, const Layout& layout) {
    std::vector<Edit> edits;
    for (const Segment& segment : layout.segments) {
        if (segment.type != pt_load && segment.type != pt_dynamic && segment.type != pt_gnu_stack) {
            edits.push_back({segment.header_offset, pt_null, 4});
        }
    }
    for (const SectionHeader& section : layout.sections) {
        if (section.type == sht_symtab || section.type == sht_rel || section.type == sht_rela ||
            section.type == sht_note) {
            edits.push_back({section.header_offset + 4, sht_progbits, 4});
        }
    }
    for (const DynamicEntry& entry : layout.dynamic) {
        if (!is_read_from_lief(entry.tag)) {
            edits.push_back({entry.header_offset, dt_debug, static_cast<std::uint8_t>(layout.word())});
        }
    }
    std::vector<std::uint8_t> bytes = edited_copy(file, file.size(), edits);
    if (layout.section_headers == 0 && layout.symbol_count != 0) {
        add_symbol_section(bytes, layout);
    }
    return bytes;
}

SymbolKind kind_of(std::uint64_t type) noexcept {
    switch (type) {
        case 0:
            return SymbolKind::untyped;
        case 1:
        case 5:
            return SymbolKind::object;  // STT_OBJECT, STT_COMMON
        case 2:
            return SymbolKind::function;
        case 6:
            return SymbolKind::thread_local_object;
        case 10:
            return SymbolKind::indirect_function;
        default:
            return SymbolKind::other;
    }
}

void read_memory(const LIEF::ELF::Binary& binary, const Layout& layout, Image& image) {
    std::uint64_t segments = 0;
    if (layout.type != et_rel) {
        image.stack = Stack::missing;
    }
    for (const auto& segment : binary.segments()) {
        ++segments;
        const auto flags = number_of(segment.flags());
        if (number_of(segment.type()) == pt_load) {
            image.memory.push_back({"", segment.virtual_address(), segment.virtual_size(), (flags & pf_r) != 0,
                                    (flags & pf_w) != 0, (flags & pf_x) != 0});
        } else if (number_of(segment.type()) == pt_gnu_stack) {
            // Where there are several, the loader takes the last one.
            image.stack = (flags & pf_x) != 0 ? Stack::executable : Stack::not_executable;
        }
    }
    require_agreement(segments, layout.segments.size(), "program headers");
    if (layout.section_headers == 0) {
        return;
    }
    std::uint64_t sections = 0;
    for (const auto& section : binary.sections()) {
        ++sections;
        const auto flags = number_of(section.flags());
        // .tbss takes no room in memory: what has its address is another section.
        const bool takes_room = (flags & shf_tls) == 0 || number_of(section.type()) != sht_nobits;
        if ((flags & shf_alloc) != 0 && takes_room && layout.type != et_rel) {
            image.sections.push_back({section.name(), section.virtual_address(), section.size(),
                                      (flags & shf_write) != 0, (flags & shf_execinstr) != 0});
        }
    }
    require_agreement(sections, layout.sections.size(), "section headers");
}

void add_run_paths(const std::string& paths, Image& image) {
    for (std::size_t start = 0; start <= paths.size();) {
        const std::size_t end = std::min(paths.find(':', start), paths.size());
        if (end > start) {
            image.run_paths.push_back(paths.substr(start, end - start));
        }
        start = end + 1;
    }
}

void read_dynamic(const LIEF::ELF::Binary& binary, const Layout& layout, Image& image) {
    std::uint64_t entries = 0;
    for (const auto& entry : binary.dynamic_entries()) {
        ++entries;
        switch (number_of(entry.tag())) {
            case dt_needed:
                image.libraries.push_back(
                    {static_cast<const LIEF::ELF::DynamicEntryLibrary&>(entry).name(), false, false});
                break;
            case dt_soname:
                image.soname = static_cast<const LIEF::ELF::DynamicSharedObject&>(entry).name();
                break;
            case dt_rpath:
                add_run_paths(static_cast<const LIEF::ELF::DynamicEntryRpath&>(entry).rpath(), image);
                break;
            case dt_runpath:
                add_run_paths(static_cast<const LIEF::ELF::DynamicEntryRunPath&>(entry).runpath(), image);
                break;
            case dt_textrel:
                image.claims_text_relocations = true;
                break;
            case dt_flags:
                image.claims_text_relocations |= (entry.value() & df_textrel) != 0;
                break;
            case dt_flags_1:
                if (layout.type == et_dyn && (entry.value() & df_1_pie) != 0) {
                    image.kind = FileKind::executable;  // the loader refuses it in dlopen
                }
                break;
            default:
                break;
        }
    }
    require_agreement(entries, layout.dynamic.size(), "entries of the dynamic table");
    const auto needed = std::count_if(layout.dynamic.begin(), layout.dynamic.end(),
                                      [](const DynamicEntry& entry) { return entry.tag == dt_needed; });
    require_agreement(image.libraries.size(), static_cast<std::uint64_t>(needed), "needed libraries");
}

std::string version_of(const LIEF::ELF::Symbol& symbol) {
    const auto* version = symbol.symbol_version();
    if (version == nullptr || (version->value() & 0x7FFFU) < 2 || !version->has_auxiliary_version()) {
        return {};
    }
    return version->symbol_version_auxiliary()->name();
}

/// A defined symbol is found by name when it is global, visible, and not made local by a version script.
bool is_exported(const LIEF::ELF::Symbol& symbol) {
    const auto binding = number_of(symbol.binding());
    const auto visibility = symbol.other() & 3U;
    const auto* version = symbol.symbol_version();
    const bool local_version = version != nullptr && (version->value() & 0x7FFFU) == 0;
    return binding != 0 && (visibility == 0 || visibility == 3) && !local_version;
}

void read_symbols(const LIEF::ELF::Binary& binary, const Layout& layout, Image& image) {
    std::uint64_t symbols = 0;
    std::uint64_t versions = 0;
    NameBudget version_names(name_budget(layout.dynamic_strings.size() * 16));
    image.exports.reserve(layout.symbol_count);
    for (const auto& symbol : binary.dynamic_symbols()) {
        ++symbols;
        versions += symbol.has_version() ? 1U : 0U;
        const std::string& name = symbol.name();
        const auto type = number_of(symbol.type());
        if (name.empty() || type == 3 || type == 4) {  // the null symbol, STT_SECTION, STT_FILE
            continue;
        }
        const bool weak = number_of(symbol.binding()) == 2;
        // LIEF's imported_symbols() leaves out untyped ones, which is what all of NASM's are: the section index decides.
        if (symbol.shndx() == 0) {
            const std::string version = version_of(symbol);
            version_names.take(version);
            image.imports.push_back({name, "", version, weak, false, false});
        } else if (is_exported(symbol)) {
            image.exports.push_back({name, symbol.value(), symbol.size(), kind_of(type), weak, ""});
        }
    }
    require_agreement(symbols, layout.symbol_count, "dynamic symbols");
    if (layout.has_symbol_versions) {
        require_agreement(versions, layout.symbol_count, "symbol versions");
    }
    std::uint64_t needed = 0;
    constexpr std::uint16_t ver_flg_weak = 2;
    for (const auto& requirement : binary.symbols_version_requirement()) {
        ++needed;
        for (const auto& version : requirement.auxiliary_symbols()) {
            const bool weak = (version.flags() & ver_flg_weak) != 0;
            version_names.take(version.name());
            version_names.take(requirement.name());
            image.needed_versions.push_back({requirement.name(), version.name(), weak});
        }
    }
    require_agreement(needed, layout.needed_versions, "libraries with needed versions");
}

FileKind kind_of_file(std::uint16_t type) noexcept {
    switch (type) {
        case et_dyn:
            return FileKind::shared_library;
        case et_exec:
            return FileKind::executable;
        case et_rel:
            return FileKind::object;
        default:
            return FileKind::other;
    }
}

void gather_pieces(ByteView file, const Layout& layout, ContentsGatherer& gatherer) {
    constexpr std::uint32_t pt_gnu_relro = 0x6474E552;
    for (const Segment& segment : layout.segments) {
        if (segment.type == pt_load) {
            gatherer.add_piece(segment.address, file.part(segment.offset, segment.file_size));
        } else if (segment.type == pt_gnu_relro) {
            gatherer.add_sealed(segment.address, segment.memory_size);
        }
    }
}

}  // namespace

Image read(ByteView file, const ReadOptions& options) {
    const Layout layout = check(file);
    Image image;
    image.format = Format::elf;
    image.machine = layout.machine;
    image.pointer_bits = layout.is_64 ? 64 : 32;
    image.kind = kind_of_file(layout.type);
    image.file_size = file.size();
    const bool is_wanted = options.contents_of_all
                               ? layout.type == et_dyn || layout.type == et_exec
                               : layout.type == et_dyn && names_an_entry_point(layout.dynamic_strings);
    ContentsGatherer gatherer(layout.is_64 && is_wanted);
    gather_pieces(file, layout, gatherer);
    RelocationFacts relocations = relocation_facts(file, layout, text_relocation_limit, gatherer);
    image.elf = load_facts(file, layout, relocations);
    image.text_relocations = std::move(relocations.text);

    const auto binary = lief::parse_elf(bytes_for_lief(file, layout));
    read_memory(*binary, layout, image);
    read_dynamic(*binary, layout, image);
    read_symbols(*binary, layout, image);
    image.hidden = hidden_symbols(file, layout, image.exports);
    image.contents = gatherer.finish();
    follow_entry_points(image);
    return image;
}

}  // namespace nasm_build::inspect::elf
