// Finding an exported symbol: in the export trie when the file has one, as dyld does, else in the symbol table.
#include "exports.hpp"

#include <optional>
#include <string>

#include "format.hpp"

namespace macho_loader {

namespace {

/// What the trie says of a symbol, at the node where its name ends.
std::uint64_t exported_address(const Image& image, Cursor cursor, std::string_view name) {
    const std::uint64_t flags = cursor.uleb();
    const auto refuse = [&](const std::string& what) -> std::uint64_t {
        throw Error("the exported symbol " + std::string(name) + ' ' + what);
    };
    if ((flags & format::EXPORT_SYMBOL_FLAGS_REEXPORT) != 0) {
        return refuse("is another library's");
    }
    if ((flags & format::EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER) != 0) {
        return refuse("has a resolver, which this loader does not run");
    }
    if ((flags & format::EXPORT_SYMBOL_FLAGS_KIND_MASK) != format::EXPORT_SYMBOL_FLAGS_KIND_REGULAR) {
        return refuse("is neither a function nor a variable");
    }
    return image.header + cursor.uleb();
}

/// Each step down the trie uses up a part of the name, so that it ends whatever the file says.
std::optional<std::uint64_t> in_trie(const Image& image, std::string_view name) {
    std::uint64_t node = 0;
    std::string_view rest = name;
    for (;;) {
        Cursor cursor(image.export_trie, node);
        const std::uint64_t size = cursor.uleb();
        if (rest.empty()) {
            return size == 0 ? std::nullopt : std::optional(exported_address(image, cursor, name));
        }
        const Bytes terminal = image.export_trie.part(cursor.offset(), size, "a node of the export trie");
        Cursor edges(image.export_trie, cursor.offset() + terminal.size());
        bool found = false;
        for (unsigned left = edges.byte(); left > 0 && !found; --left) {
            const std::string_view label = edges.text();
            const std::uint64_t child = edges.uleb();
            if (!label.empty() && rest.starts_with(label)) {
                rest.remove_prefix(label.size());
                node = child;
                found = true;
            }
        }
        if (!found) {
            return std::nullopt;
        }
    }
}

std::optional<std::uint64_t> in_symbol_table(const Image& image, std::string_view name) {
    for (std::uint64_t at = 0; at < image.symbols.size(); at += format::NLIST_SIZE) {
        const auto kind = image.symbols.read<std::uint8_t>(at + 4);
        const bool is_exported = (kind & format::N_STAB) == 0 && (kind & format::N_PEXT) == 0 &&
                                 (kind & format::N_EXT) != 0 && (kind & format::N_TYPE) == format::N_SECT;
        if (is_exported && image.symbol_names.text(image.symbols.read<std::uint32_t>(at)) == name) {
            return image.symbols.read<std::uint64_t>(at + 8);
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> exported(const Image& image, std::string_view name) {
    const auto address = image.export_trie.empty() ? in_symbol_table(image, name) : in_trie(image, name);
    if (address && image.segment_of(*address, 1) == nullptr) {
        throw Error("the exported symbol " + std::string(name) + " lies outside all segments");
    }
    return address;
}

}  // namespace macho_loader
