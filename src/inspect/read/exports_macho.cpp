// Walks the trie with a list of nodes to come instead of calls, and visits no node twice: LIEF 0.12.3 follows it by
// recursion, and reads its sizes as single bytes.
#include "inspect/read/exports_macho.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nasm_build::inspect::macho {

namespace {

// <mach-o/loader.h>, EXPORT_SYMBOL_FLAGS
constexpr std::uint64_t kind_mask = 3, kind_absolute = 2, flag_weak = 4, flag_reexport = 8, flag_stub = 0x10;

struct Node {
    std::uint64_t offset = 0;
    std::string prefix;
};

class TrieWalk {
public:
    TrieWalk(ByteView slice, const Layout& layout)
        : trie_(slice.part(layout.export_trie.offset, layout.export_trie.size)),
          layout_(layout),
          visited_(static_cast<std::size_t>(trie_.size()), false) {}

    std::vector<TrieExport> walk() {
        add_node(0, {});
        while (!nodes_.empty()) {
            const Node node = std::move(nodes_.back());
            nodes_.pop_back();
            read_node(node);
        }
        std::sort(exports_.begin(), exports_.end(),
                  [](const TrieExport& left, const TrieExport& right) { return left.name < right.name; });
        return std::move(exports_);
    }

private:
    [[noreturn]] static void fail() { fail_damaged("its trie of exports does not hold together"); }

    void add_node(std::uint64_t offset, std::string prefix) {
        if (offset >= trie_.size() || visited_[static_cast<std::size_t>(offset)]) {
            fail();
        }
        visited_[static_cast<std::size_t>(offset)] = true;
        budget_.take(prefix);
        nodes_.push_back({offset, std::move(prefix)});
    }

    void read_node(const Node& node) {
        Cursor cursor(trie_, node.offset);
        const std::uint64_t size = cursor.read_uleb();
        if (cursor.failed() || size > cursor.left()) {
            fail();
        }
        if (size != 0) {
            read_export(trie_.part(cursor.position(), size), node.prefix);
        }
        cursor.skip(size);
        const auto children = cursor.read<std::uint8_t>();
        for (unsigned i = 0; i < children; ++i) {
            const std::string_view label = cursor.read_text();
            const std::uint64_t child = cursor.read_uleb();
            if (cursor.failed()) {
                fail();
            }
            add_node(child, node.prefix + std::string(label));
        }
        if (cursor.failed()) {
            fail();
        }
    }

    void read_export(ByteView bytes, const std::string& name) {
        Cursor cursor(bytes);
        const std::uint64_t flags = cursor.read_uleb();
        TrieExport found{name, 0, (flags & flag_weak) != 0, {}};
        if ((flags & flag_reexport) != 0) {
            const std::uint64_t library = cursor.read_uleb();
            const std::string_view imported = cursor.read_text();
            if (library == 0 || library > layout_.libraries.size()) {
                fail();
            }
            const std::string_view path = layout_.libraries[static_cast<std::size_t>(library - 1)];
            found.forwarded_to = fmt::format("{}.{}", path, imported.empty() ? std::string_view(name) : imported);
            budget_.take(found.forwarded_to);
        } else {
            const std::uint64_t address = cursor.read_uleb();
            if ((flags & flag_stub) != 0) {
                static_cast<void>(cursor.read_uleb());  // the resolver
            }
            found.address = (flags & kind_mask) == kind_absolute ? address : layout_.base() + address;
        }
        if (cursor.failed()) {
            fail();
        }
        exports_.push_back(std::move(found));
    }

    ByteView trie_;
    const Layout& layout_;
    std::vector<bool> visited_;
    std::vector<Node> nodes_;
    std::vector<TrieExport> exports_;
    // A name is the sum of its path's labels, so the names of a trie are many times as long as the trie.
    NameBudget budget_{name_budget(layout_.export_trie.size * 32)};
};

}  // namespace

std::vector<TrieExport> trie_exports(ByteView slice, const Layout& layout) {
    if (layout.export_trie.size == 0) {
        return {};
    }
    return TrieWalk(slice, layout).walk();
}

}  // namespace nasm_build::inspect::macho
