// The guard of Mach-O: the load commands other than segments.
#include <fmt/format.h>

#include <array>

#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

namespace {

void require_size(const Command& command, std::uint64_t size) {
    if (command.size < size) {
        fail_damaged(fmt::format("load command 0x{:x} has {} bytes, not {}", command.type, command.size, size));
    }
}

/// The text of a command, whose place counts from the command's start.
std::string_view text_in(ByteView slice, const Command& command, std::uint64_t field) {
    require_size(command, field + 4);
    const auto into = slice.load<std::uint32_t>(command.offset + field);
    const auto text = slice.part(command.offset, command.size).text(into);
    if (!text || into < field + 4) {
        fail_damaged(fmt::format("the name in load command 0x{:x} lies outside of it", command.type));
    }
    return *text;
}

void set_once(Range& range, std::uint64_t offset, std::uint64_t size, std::string_view what) {
    if (range.size != 0 && size != 0) {
        fail_damaged(fmt::format("it has {} twice", what));
    }
    if (size != 0) {
        range = {offset, size};
    }
}

Range load_range(ByteView slice, std::uint64_t at, std::string_view what) {
    const Range range{slice.load<std::uint32_t>(at), slice.load<std::uint32_t>(at + 4)};
    if (range.size != 0) {
        require_range(slice, range.offset, range.size, what);
    }
    return range;
}

void load_symtab(ByteView slice, Layout& layout, const Command& command) {
    require_size(command, 24);
    constexpr std::uint64_t symbol_limit = 2'000'000;  // LIEF holds some 200 bytes for each
    const std::uint64_t offset = slice.load<std::uint32_t>(command.offset + 8);
    const std::uint64_t count = slice.load<std::uint32_t>(command.offset + 12);
    require_count(count, symbol_limit, "symbols");
    require_range(slice, offset, count * layout.symbol_size(), "the table of symbols");
    set_once(layout.symbols, offset, count, "a table of symbols");
    const Range strings = load_range(slice, command.offset + 16, "the table of symbol names");
    set_once(layout.strings, strings.offset, strings.size, "a table of symbol names");
}

void check_dysymtab(ByteView slice, const Command& command) {
    require_size(command, 80);
    // Pairs of an offset and a count, with the bytes of an entry: contents, modules, references, indirect symbols,
    // external and local relocations. The modules' entries have 52 bytes at least.
    constexpr std::array<std::array<std::uint64_t, 2>, 6> tables = {
        {{32, 8}, {40, 52}, {48, 4}, {56, 4}, {64, 8}, {72, 8}}};
    for (const auto& [field, entry] : tables) {
        const std::uint64_t offset = slice.load<std::uint32_t>(command.offset + field);
        const std::uint64_t count = slice.load<std::uint32_t>(command.offset + field + 4);
        if (count != 0) {
            require_range(slice, offset, count * entry, "a table of dynamic symbols");
        }
    }
}

void load_dyld_info(ByteView slice, Layout& layout, const Command& command) {
    require_size(command, 48);
    const auto load = [&](Range& range, std::uint64_t field, std::string_view what) {
        const Range found = load_range(slice, command.offset + field, what);
        set_once(range, found.offset, found.size, what);
    };
    load(layout.rebases, 8, "a list of rebases");
    load(layout.binds, 16, "a list of binds");
    load(layout.weak_binds, 24, "a list of weak binds");
    load(layout.lazy_binds, 32, "a list of lazy binds");
    load(layout.export_trie, 40, "a trie of exports");
}

void check_build_version(ByteView slice, const Command& command) {
    require_size(command, 24);
    const std::uint64_t tools = slice.load<std::uint32_t>(command.offset + 20);
    if (tools * 8 > command.size - 24) {
        fail_damaged(fmt::format("its build version is said to have {} tools", tools));
    }
}

}  // namespace

void check_command(ByteView slice, Layout& layout, const Command& command) {
    switch (command.type) {
        case lc_symtab:
            load_symtab(slice, layout, command);
            break;
        case lc_dysymtab:
            check_dysymtab(slice, command);
            break;
        case lc_id_dylib:
            static_cast<void>(text_in(slice, command, 8));
            break;
        case lc_load_dylib:
        case lc_load_weak_dylib:
        case lc_reexport_dylib:
        case lc_load_upward_dylib:
        case lc_lazy_load_dylib:
            require_size(command, 24);
            layout.libraries.push_back(text_in(slice, command, 8));
            break;
        case lc_rpath:
            static_cast<void>(text_in(slice, command, 8));
            ++layout.run_paths;
            break;
        case lc_dyld_info:
        case lc_dyld_info_only:
            load_dyld_info(slice, layout, command);
            break;
        case lc_version_min_macosx:
        case lc_version_min_iphoneos:
        case lc_version_min_tvos:
        case lc_version_min_watchos:
            require_size(command, 16);
            break;
        case lc_build_version:
            check_build_version(slice, command);
            break;
        case lc_code_signature: {
            require_size(command, 16);
            const Range range = load_range(slice, command.offset + 8, "the code signature");
            set_once(layout.code_signature, range.offset, range.size, "a code signature");
            break;
        }
        case lc_segment_split_info:
        case lc_function_starts:
        case lc_data_in_code:
        case lc_dylib_code_sign_drs:
        case lc_linker_optimization_hint:
            require_size(command, 16);
            static_cast<void>(load_range(slice, command.offset + 8, "the data of a load command"));
            break;
        case lc_dyld_exports_trie: {
            require_size(command, 16);
            const Range range = load_range(slice, command.offset + 8, "the trie of exports");
            set_once(layout.export_trie, range.offset, range.size, "a trie of exports");
            break;
        }
        case lc_dyld_chained_fixups: {
            require_size(command, 16);
            const Range range = load_range(slice, command.offset + 8, "the chained fixups");
            set_once(layout.chained_fixups, range.offset, range.size, "chained fixups");
            break;
        }
        default:
            break;  // nothing of it is read, by us or by LIEF
    }
}

}  // namespace nasm_build::inspect::macho
