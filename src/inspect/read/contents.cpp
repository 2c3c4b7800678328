#include "inspect/read/contents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace nasm_build::inspect {

namespace {

// Modules have some ten thousand addresses in their tables; a hundred times as many are those of a library.
constexpr std::size_t pointer_limit = 2'000'000;

}  // namespace

bool names_an_entry_point(ByteView names) noexcept {
    const auto bytes = names.bytes();
    const auto* first = reinterpret_cast<const char*>(bytes.data());
    const auto holds = [&](std::string_view word) {
        const std::boyer_moore_horspool_searcher searcher(word.begin(), word.end());
        return std::search(first, first + bytes.size(), searcher) != first + bytes.size();
    };
    return holds("PyInit") || holds("PyModExport");
}

void ContentsGatherer::add_piece(std::uint64_t address, ByteView bytes) {
    if (wanted() && bytes.size() != 0) {
        contents_.pieces.push_back({address, bytes.bytes()});
    }
}

void ContentsGatherer::add_sealed(std::uint64_t address, std::uint64_t size) {
    if (wanted() && size != 0) {
        contents_.sealed.push_back({address, size});
    }
}

void ContentsGatherer::add(Pointer pointer) {
    if (!wanted()) {
        return;
    }
    if (contents_.pointers.size() >= pointer_limit) {
        give_up(fmt::format("the file has more than {} addresses for the loader to fill in", pointer_limit));
        return;
    }
    contents_.pointers.push_back(pointer);
}

void ContentsGatherer::give_up(std::string reason) {
    contents_ = {};
    contents_.missing = std::move(reason);
}

Contents ContentsGatherer::finish() {
    const auto by_place = [](const Pointer& one, const Pointer& other) { return one.place < other.place; };
    auto& pointers = contents_.pointers;
    if (!std::is_sorted(pointers.begin(), pointers.end(), by_place)) {
        std::stable_sort(pointers.begin(), pointers.end(), by_place);
    }
    return std::move(contents_);
}

}  // namespace nasm_build::inspect
