#include "inspect/abi/sources.hpp"

#include <algorithm>
#include <functional>

namespace nasm_build::inspect::abi {

namespace {

using Bytes = std::span<const std::byte>;

// What is looked for: a section, or a piece of one.
struct Piece {
    const ObjectCode& code;
    std::size_t begin = 0;
    std::size_t end = 0;

    [[nodiscard]] std::size_t size() const { return end - begin; }
};

// The longest run of bytes that the linker leaves alone: what is searched for.
struct Anchor {
    std::size_t offset = 0;  // in the piece
    std::size_t size = 0;
};

Anchor anchor_of(const Piece& piece) {
    Anchor longest;
    Anchor run;
    for (std::size_t at = 0; at < piece.size(); ++at) {
        run = piece.code.is_patched[piece.begin + at] ? Anchor{at + 1, 0} : Anchor{run.offset, run.size + 1};
        longest = run.size > longest.size ? run : longest;
    }
    return longest;
}

bool is_same(const Piece& piece, Bytes there) {
    for (std::size_t at = 0; at < piece.size(); ++at) {
        if (!piece.code.is_patched[piece.begin + at] && piece.code.bytes[piece.begin + at] != there[at]) {
            return false;
        }
    }
    return true;
}

// The offset at which the piece lies in a section; two are enough to know that it is there more than once.
std::vector<std::size_t> places_in(const Piece& piece, const Anchor& anchor, Bytes section) {
    std::vector<std::size_t> places;
    const Bytes wanted = piece.code.bytes.subspan(piece.begin + anchor.offset, anchor.size);
    const std::boyer_moore_horspool_searcher searcher(
        reinterpret_cast<const unsigned char*>(wanted.data()),
        reinterpret_cast<const unsigned char*>(wanted.data()) + wanted.size());
    const auto* const first = reinterpret_cast<const unsigned char*>(section.data());
    const auto* const last = first + section.size();
    for (const auto* at = std::search(first, last, searcher); at != last; at = std::search(at + 1, last, searcher)) {
        const auto offset = static_cast<std::size_t>(at - first);
        const bool fits = offset >= anchor.offset && section.size() - (offset - anchor.offset) >= piece.size();
        if (fits && is_same(piece, section.subspan(offset - anchor.offset, piece.size()))) {
            places.push_back(offset - anchor.offset);
        }
        if (places.size() > 1) {
            break;
        }
    }
    return places;
}

// The addresses at which the piece lies in the module. One with fewer bytes of its own than `least` could be anybody's.
std::vector<std::uint64_t> addresses_of(const Piece& piece, std::size_t least, const code::CodeMap& map) {
    const Anchor anchor = anchor_of(piece);
    std::vector<std::uint64_t> found;
    if (anchor.size < least) {
        return found;
    }
    for (const code::CodeSection& section : map.sections) {
        for (const std::size_t offset : places_in(piece, anchor, section.bytes.bytes())) {
            found.push_back(section.address + offset);
        }
    }
    return found;
}

}  // namespace

Sources::Sources(std::span<const ObjectCode> objects, const code::CodeMap& map) {
    constexpr std::size_t least_of_section = 4, least_of_piece = 8;
    for (const ObjectCode& code : objects) {
        const std::vector<std::uint64_t> whole = addresses_of({code, 0, code.bytes.size()}, least_of_section, map);
        if (whole.size() == 1) {
            placed_.push_back({&code, 0, code.bytes.size(), whole.front()});
        }
        if (!whole.empty() || code.cuts.empty()) {
            continue;
        }
        for (std::size_t cut = 0; cut <= code.cuts.size(); ++cut) {
            const auto begin = static_cast<std::size_t>(cut == 0 ? 0 : code.cuts[cut - 1]);
            const auto end = cut == code.cuts.size() ? code.bytes.size() : static_cast<std::size_t>(code.cuts[cut]);
            const std::vector<std::uint64_t> found = addresses_of({code, begin, end}, least_of_piece, map);
            if (found.size() == 1) {
                placed_.push_back({&code, begin, end, found.front()});
            }
        }
    }
}

const ObjectLines* Sources::lines_at(const Placed& piece, std::uint64_t address) {
    if (address < piece.address || address - piece.address >= piece.end - piece.begin) {
        return nullptr;
    }
    const std::uint64_t offset = piece.begin + (address - piece.address);
    const auto found = std::find_if(piece.code->lines.begin(), piece.code->lines.end(), [&](const ObjectLines& lines) {
        return offset >= lines.begin && offset < lines.end;
    });
    return found == piece.code->lines.end() ? nullptr : &*found;
}

bool Sources::covers(std::uint64_t address) const noexcept {
    return std::any_of(placed_.begin(), placed_.end(), [address](const Placed& piece) {
        return address >= piece.address && address - piece.address < piece.end - piece.begin;
    });
}

std::optional<SourceLine> Sources::line_at(std::uint64_t address) const {
    for (const Placed& piece : placed_) {
        if (const ObjectLines* const lines = lines_at(piece, address)) {
            return SourceLine{piece.code->files[lines->file], lines->line};
        }
    }
    return std::nullopt;
}

std::vector<Sources::GlobalFunction> Sources::globals() const {
    std::vector<GlobalFunction> found;
    for (const Placed& one : placed_) {
        for (const ObjectSymbol& symbol : one.code->symbols) {
            if (symbol.is_global && symbol.offset >= one.begin && symbol.offset < one.end) {
                found.push_back({one.address + (symbol.offset - one.begin), symbol.name});
            }
        }
    }
    return found;
}

}  // namespace nasm_build::inspect::abi
