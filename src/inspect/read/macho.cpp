// LIEF's view of a Mach-O file into an Image, compared with what the headers promise.
#include "inspect/read/macho.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "inspect/read/contents.hpp"
#include "inspect/read/entry_code.hpp"
#include "inspect/read/entry_point_names.hpp"
#include "inspect/read/exports_macho.hpp"
#include "inspect/read/fixups_macho.hpp"
#include "inspect/read/guard_macho.hpp"
#include "inspect/read/lief_compat.hpp"
#include "inspect/read/signature_macho.hpp"

namespace nasm_build::inspect::macho {

namespace {

using lief::number_of;

constexpr std::size_t text_relocation_limit = 100;

bool is_read_from_lief(std::uint32_t command) noexcept {
    switch (command) {
        case lc_segment:
        case lc_segment_64:
        case lc_id_dylib:
        case lc_load_dylib:
        case lc_load_weak_dylib:
        case lc_reexport_dylib:
        case lc_load_upward_dylib:
        case lc_lazy_load_dylib:
        case lc_rpath:
        case lc_version_min_macosx:
        case lc_version_min_iphoneos:
        case lc_build_version:
            return true;
        default:
            return false;
    }
}

/// The slice as LIEF is given it: commands that are not read from it become unknown ones, and sections lose relocations.
std::vector<std::uint8_t> bytes_for_lief(ByteView slice, const Layout& layout) {
    constexpr std::uint64_t unknown_command = 0x7FFFFF00;
    std::vector<Edit> edits;
    for (const Command& command : layout.commands) {
        if (!is_read_from_lief(command.type)) {
            edits.push_back({command.offset, unknown_command, 4});
        }
    }
    for (const Segment& segment : layout.segments) {
        for (std::uint64_t i = 0; i < segment.section_count; ++i) {
            const std::uint64_t header = segment.first_section + i * layout.section_size();
            edits.push_back({header + (layout.is_64 ? 60 : 52), 0, 4});
        }
    }
    return edited_copy(slice, slice.size(), edits);
}

std::string version_text(const std::array<std::uint32_t, 3>& version) {
    return version[2] == 0 ? fmt::format("{}.{}", version[0], version[1])
                           : fmt::format("{}.{}.{}", version[0], version[1], version[2]);
}

const char* platform_name(std::uint64_t platform) noexcept {
    // <mach-o/loader.h>, PLATFORM_*
    constexpr std::array names = {"",          "macos",       "ios",           "tvos",           "watchos",
                                  "bridgeos",  "maccatalyst", "ios-simulator", "tvos-simulator", "watchos-simulator",
                                  "driverkit", "visionos"};
    return platform < names.size() ? names.at(static_cast<std::size_t>(platform)) : "unknown";
}

/// A library for several platforms has a command for each; what a Python of macOS loads is the one for macOS.
void set_platform(Image& image, std::string platform, std::string version) {
    if (image.platform != "macos") {
        image.platform = std::move(platform);
        image.minimum_system = std::move(version);
    }
}

void read_commands(ByteView slice, const LIEF::MachO::Binary& binary, const Layout& layout, Image& image) {
    std::uint64_t commands = 0;
    std::uint64_t run_paths = 0;
    for (const auto& command : binary.commands()) {
        ++commands;
        const auto type = static_cast<std::uint32_t>(number_of(command.command()));
        switch (type) {
            case lc_id_dylib:
                image.soname = static_cast<const LIEF::MachO::DylibCommand&>(command).name();
                break;
            case lc_load_dylib:
            case lc_load_weak_dylib:
            case lc_reexport_dylib:
            case lc_load_upward_dylib:
            case lc_lazy_load_dylib:
                image.libraries.push_back({static_cast<const LIEF::MachO::DylibCommand&>(command).name(),
                                           type == lc_load_weak_dylib, type == lc_lazy_load_dylib});
                break;
            case lc_rpath:
                image.run_paths.push_back(static_cast<const LIEF::MachO::RPathCommand&>(command).path());
                ++run_paths;
                break;
            case lc_version_min_macosx:
            case lc_version_min_iphoneos:
                set_platform(image, type == lc_version_min_macosx ? "macos" : "ios",
                             version_text(static_cast<const LIEF::MachO::VersionMin&>(command).version()));
                break;
            case lc_build_version: {
                const auto& build = static_cast<const LIEF::MachO::BuildVersion&>(command);
                set_platform(image, platform_name(number_of(build.platform())), version_text(build.minos()));
                break;
            }
            default:
                break;
        }
    }
    for (const Command& command : layout.commands) {
        if (command.type == lc_version_min_tvos || command.type == lc_version_min_watchos) {
            // LIEF gives these two no type of their own; the version is that of the two above, in one number.
            const auto version = slice.load<std::uint32_t>(command.offset + 8);
            set_platform(image, command.type == lc_version_min_tvos ? "tvos" : "watchos",
                         version_text({version >> 16U, (version >> 8U) & 0xFFU, version & 0xFFU}));
        }
    }
    require_agreement(commands, layout.commands.size(), "load commands");
    require_agreement(image.libraries.size(), layout.libraries.size(), "needed libraries");
    require_agreement(run_paths, layout.run_paths, "run paths");
}

void read_memory(const LIEF::MachO::Binary& binary, const Layout& layout, Image& image) {
    std::uint64_t sections = 0;
    for (const auto& segment : binary.segments()) {
        const std::uint32_t protection = segment.init_protection();
        image.memory.push_back({segment.name(), segment.virtual_address(), segment.virtual_size(),
                                (protection & prot_read) != 0, (protection & prot_write) != 0,
                                (protection & prot_execute) != 0});
        for (const auto& section : segment.sections()) {
            ++sections;
            if (layout.file_type == mh_object) {
                continue;  // its addresses are not those of a loaded image
            }
            // __TEXT is mapped executable with its tables: whether a section holds code is in its attributes.
            const bool code = (number_of(section.raw_flags()) & s_attr_instructions) != 0;
            image.sections.push_back({fmt::format("{},{}", segment.name(), section.name()), section.address(),
                                      section.size(), (protection & prot_write) != 0,
                                      (protection & prot_execute) != 0 && code});
        }
    }
    require_agreement(image.memory.size(), layout.segments.size(), "segments");
    require_agreement(sections, layout.section_count, "sections");
}

/// Splits a symbol's name as dlsym does: it puts `_` before what it is asked for.
struct CName {
    explicit CName(std::string_view stored)
        : underscore(stored.starts_with('_')), text(stored.substr(underscore ? 1 : 0)) {}

    bool underscore;
    std::string_view text;
};

std::string library_name(const Layout& layout, std::int64_t ordinal) {
    return ordinal > 0 && static_cast<std::uint64_t>(ordinal) <= layout.libraries.size()
               ? std::string(layout.libraries[static_cast<std::size_t>(ordinal - 1)])
               : std::string{};
}

std::int64_t ordinal_of(std::uint16_t description) noexcept {
    // <mach-o/nlist.h>, GET_LIBRARY_ORDINAL: 0xFE is the flat look-up, 0xFF the program.
    const std::int64_t ordinal = description >> 8U;
    return ordinal == 0xFE ? -2 : ordinal == 0xFF ? -1 : ordinal;
}

/// What the symbols say, before it is compared with the export trie.
struct Symbol {
    std::string_view name;
    std::uint8_t type = 0;
    std::uint16_t description = 0;
    std::uint64_t value = 0;
};

class Symbols {
public:
    Symbols(const Layout& layout, Image& image) : layout_(layout), image_(image) {}

    /// The guard has checked every name. LIEF makes an object and a look-up entry of each symbol, and most of them are local:
    /// that is more than half of the time which a large module takes.
    void read(ByteView slice) {
        const ByteView strings = slice.part(layout_.strings.offset, layout_.strings.size);
        for (std::uint64_t i = 0; i < layout_.symbols.size; ++i) {
            const std::uint64_t at = layout_.symbols.offset + i * layout_.symbol_size();  // struct nlist, nlist_64
            const auto name_offset = slice.load<std::uint32_t>(at);
            const auto type = slice.load<std::uint8_t>(at + 4);
            if ((type & n_stab) != 0 || name_offset == 0) {
                continue;
            }
            const std::string_view name = strings.text(name_offset).value_or(std::string_view());
            if (!name.empty()) {
                const std::uint64_t value =
                    layout_.is_64 ? slice.load<std::uint64_t>(at + 8) : slice.load<std::uint32_t>(at + 8);
                read_symbol({name, type, slice.load<std::uint16_t>(at + 6), value});
            }
        }
    }

    /// dyld finds by the trie alone where there is one: it adds names that the table lacks, and hides those it lacks itself.
    void compare(const std::vector<TrieExport>& trie) {
        if (layout_.export_trie.size == 0) {
            return;
        }
        std::set<std::string_view> in_trie;
        for (const TrieExport& each : trie) {
            in_trie.insert(each.name);
        }
        std::vector<Export> found;
        for (Export& each : image_.exports) {
            if (in_trie.count("_" + each.name) != 0) {
                found.push_back(std::move(each));
            } else {
                hide("_" + each.name, each.address, HiddenBecause::visibility);
            }
        }
        image_.exports = std::move(found);
        std::set<std::string_view> known;
        for (const Export& each : image_.exports) {
            known.insert(each.name);
        }
        std::set<std::string> hidden;
        for (const HiddenSymbol& each : image_.hidden) {
            hidden.insert(each.name);
        }
        std::vector<Export> added;
        for (const TrieExport& each : trie) {
            const CName name(each.name);
            if (!name.underscore) {
                if (!hidden.contains(std::string(name.text))) {
                    hide(each.name, each.address, HiddenBecause::missing_underscore);
                }
            } else if (known.count(name.text) == 0) {
                added.push_back(
                    {std::string(name.text), each.address, 0, SymbolKind::untyped, each.weak, each.forwarded_to});
            }
        }
        std::move(added.begin(), added.end(), std::back_inserter(image_.exports));
    }

    /// Symbols that are bound although the table of symbols does not have them.
    void add_bound(const std::vector<Bound>& bound) {
        std::set<std::string> known;
        for (const Import& each : image_.imports) {
            known.insert((each.missing_underscore ? "" : "_") + each.name);
        }
        for (const Bound& each : bound) {
            const bool defined_here = each.library == 0;
            if (!defined_here && known.insert(each.name).second) {
                add_import(each.name, each.library, each.weak);
            }
        }
    }

private:
    void add_import(std::string_view stored, std::int64_t ordinal, bool weak) {
        constexpr std::int64_t flat_lookup = -2;
        const CName name(stored);
        Import import;
        import.name = name.text;
        import.library = library_name(layout_, ordinal);
        import.weak = weak;
        import.flat = ordinal == flat_lookup || (layout_.flags & mh_twolevel) == 0;
        import.missing_underscore = !name.underscore;
        library_names_.take(import.library);
        image_.imports.push_back(std::move(import));
    }

    void read_symbol(const Symbol& symbol) {
        const std::uint8_t type = symbol.type;
        const std::uint16_t description = symbol.description;
        if ((type & n_type) == n_undf) {
            if ((type & n_ext) != 0) {
                add_import(symbol.name, ordinal_of(description), (description & n_weak_ref) != 0);
            }
            return;
        }
        const CName name(symbol.name);
        if ((type & n_ext) == 0 || (type & n_pext) != 0) {
            hide(symbol.name, symbol.value, (type & n_pext) != 0 ? HiddenBecause::visibility : HiddenBecause::local);
        } else if (!name.underscore) {
            hide(symbol.name, symbol.value, HiddenBecause::missing_underscore);
        } else {
            image_.exports.push_back(
                {std::string(name.text), symbol.value, 0, SymbolKind::untyped, (description & n_weak_def) != 0, ""});
        }
    }

    void hide(std::string_view stored, std::uint64_t address, HiddenBecause why) {
        const CName name(stored);
        if (looks_like_entry_point(name.text)) {
            image_.hidden.push_back({std::string(name.text), address, why});
        }
    }

    const Layout& layout_;
    Image& image_;
    /// Each import has its library's name: many imports of a library with a long one would take all memory.
    NameBudget library_names_{name_budget(layout_.symbols.size * 256)};
};

FileKind kind_of_file(std::uint32_t type) noexcept {
    switch (type) {
        case mh_dylib:
            return FileKind::shared_library;
        case mh_bundle:
            return FileKind::bundle;
        case mh_execute:
            return FileKind::executable;
        case mh_object:
            return FileKind::object;
        case mh_dsym:
            return FileKind::debug_symbols;
        default:
            return FileKind::other;
    }
}

bool wants_contents(ByteView file, const Layout& layout, const std::vector<TrieExport>& trie,
                    const ReadOptions& options) {
    const bool is_loadable = layout.file_type == mh_bundle || layout.file_type == mh_dylib;
    return is_loadable && layout.is_64 &&
           (options.contents_of_all || names_an_entry_point(file.part(layout.strings.offset, layout.strings.size)) ||
            std::any_of(trie.begin(), trie.end(),
                        [](const TrieExport& each) { return looks_like_entry_point(each.name); }));
}

void gather_pieces(ByteView file, const Layout& layout, ContentsGatherer& gatherer) {
    constexpr std::uint32_t sg_read_only = 0x10;  // <mach-o/loader.h>: dyld takes the right to write when it is done
    for (const Command& command : layout.commands) {
        if (command.type != lc_segment_64) {
            continue;
        }
        const std::uint64_t address = file.load<std::uint64_t>(command.offset + 24);
        const std::uint64_t size = file.load<std::uint64_t>(command.offset + 48);
        gatherer.add_piece(address,
                           size == 0 ? ByteView{} : file.part(file.load<std::uint64_t>(command.offset + 40), size));
        if ((file.load<std::uint32_t>(command.offset + 68) & sg_read_only) != 0) {
            gatherer.add_sealed(address, file.load<std::uint64_t>(command.offset + 32));
        }
    }
}

}  // namespace

Image read(ByteView file, const ReadOptions& options) {
    const Layout layout = check(file);
    const std::vector<TrieExport> trie = trie_exports(file, layout);
    ContentsGatherer gatherer(wants_contents(file, layout, trie, options));
    gather_pieces(file, layout, gatherer);
    Fixups patched = fixups(file, layout, text_relocation_limit, gatherer);

    const auto fat = lief::parse_macho(bytes_for_lief(file, layout));
    require_agreement(fat->size(), 1, "Mach-O images");
    const LIEF::MachO::Binary& binary = *fat->begin();
    Image image;
    image.format = Format::macho;
    image.machine = layout.machine;
    image.pointer_bits = layout.is_64 ? 64 : 32;
    image.kind = kind_of_file(layout.file_type);
    image.file_size = file.size();
    image.text_relocations = std::move(patched.text_relocations);
    read_commands(file, binary, layout, image);
    image.macho.chained_fixups = layout.chained_fixups.size != 0;
    image.macho.signature = signature(file, layout);
    read_memory(binary, layout, image);
    Symbols symbols(layout, image);
    symbols.read(file);
    symbols.compare(trie);
    symbols.add_bound(patched.bound);
    image.contents = gatherer.finish();
    follow_entry_points(image);
    return image;
}

std::vector<Image> read_fat(ByteView file, const ReadOptions& options) {
    std::vector<Image> images;
    for (const Slice& slice : fat_slices(file)) {
        const bool is_macho = slice.bytes.size() >= 4 && (slice.bytes.load<std::uint32_t>(0) == magic_32 ||
                                                          slice.bytes.load<std::uint32_t>(0) == magic_64);
        if (!is_macho) {
            fail_damaged(fmt::format("slice {} is not a Mach-O file", slice.name));
        }
        try {
            images.push_back(read(slice.bytes, options));
        } catch (const Error& error) {
            throw Error(fmt::format("slice {}: {}", slice.name, error.what()), error.fix());
        }
        images.back().slice = slice.name;
    }
    return images;
}

}  // namespace nasm_build::inspect::macho
