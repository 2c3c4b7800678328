#include "inspect/abi/sources.hpp"

#include <algorithm>
#include <functional>

namespace nasm_build::inspect::abi {

namespace {

using Bytes = std::span<const std::byte>;

// The longest run of bytes that the linker leaves alone: what is searched for.
struct Anchor {
    std::size_t offset = 0;
    std::size_t size = 0;
};

Anchor anchor_of(const ObjectCode& code) {
    Anchor longest;
    Anchor run;
    for (std::size_t at = 0; at < code.bytes.size(); ++at) {
        run = code.is_patched[at] ? Anchor{at + 1, 0} : Anchor{run.offset, run.size + 1};
        longest = run.size > longest.size ? run : longest;
    }
    return longest;
}

bool is_same(const ObjectCode& code, Bytes there) {
    for (std::size_t at = 0; at < code.bytes.size(); ++at) {
        if (!code.is_patched[at] && code.bytes[at] != there[at]) {
            return false;
        }
    }
    return true;
}

// The offset at which the code lies in a section; nothing when it is not there or there twice.
std::vector<std::size_t> places_in(const ObjectCode& code, const Anchor& anchor, Bytes section) {
    std::vector<std::size_t> places;
    const Bytes wanted = code.bytes.subspan(anchor.offset, anchor.size);
    const std::boyer_moore_horspool_searcher searcher(
        reinterpret_cast<const unsigned char*>(wanted.data()),
        reinterpret_cast<const unsigned char*>(wanted.data()) + wanted.size());
    const auto* const first = reinterpret_cast<const unsigned char*>(section.data());
    const auto* const last = first + section.size();
    for (const auto* at = std::search(first, last, searcher); at != last; at = std::search(at + 1, last, searcher)) {
        const auto offset = static_cast<std::size_t>(at - first);
        const bool fits = offset >= anchor.offset && section.size() - (offset - anchor.offset) >= code.bytes.size();
        if (fits && is_same(code, section.subspan(offset - anchor.offset, code.bytes.size()))) {
            places.push_back(offset - anchor.offset);
        }
        if (places.size() > 1) {
            break;
        }
    }
    return places;
}

}  // namespace

Sources::Sources(std::span<const ObjectCode> objects, const code::CodeMap& map) {
    constexpr std::size_t least = 4;
    for (const ObjectCode& code : objects) {
        const Anchor anchor = anchor_of(code);
        if (anchor.size < least) {
            continue;
        }
        std::vector<std::uint64_t> found;
        for (const code::CodeSection& section : map.sections) {
            for (const std::size_t offset : places_in(code, anchor, section.bytes.bytes())) {
                found.push_back(section.address + offset);
            }
        }
        if (found.size() == 1) {
            placed_.push_back({&code, found.front()});
        }
    }
}

bool Sources::covers(std::uint64_t address) const noexcept {
    return std::any_of(placed_.begin(), placed_.end(), [address](const Placed& one) {
        return address >= one.address && address - one.address < one.code->bytes.size();
    });
}

std::optional<SourceLine> Sources::line_at(std::uint64_t address) const {
    for (const Placed& one : placed_) {
        if (address < one.address || address - one.address >= one.code->bytes.size()) {
            continue;
        }
        const std::uint64_t offset = address - one.address;
        const auto found = std::find_if(one.code->lines.begin(), one.code->lines.end(), [&](const ObjectLines& lines) {
            return offset >= lines.begin && offset < lines.end;
        });
        if (found != one.code->lines.end()) {
            return SourceLine{found->file, found->line};
        }
    }
    return std::nullopt;
}

std::vector<Sources::GlobalFunction> Sources::globals() const {
    std::vector<GlobalFunction> found;
    for (const Placed& one : placed_) {
        for (const ObjectSymbol& symbol : one.code->symbols) {
            if (symbol.is_global) {
                found.push_back({one.address + symbol.offset, symbol.name});
            }
        }
    }
    return found;
}

}  // namespace nasm_build::inspect::abi
