// The checks that the guards of all formats share. See guard.hpp for why they are there.
#include "inspect/read/guard.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nasm_build::inspect {

void fail_cut(std::string_view what, std::uint64_t offset, std::uint64_t length, std::uint64_t file_size) {
    if (length > UINT64_MAX - offset) {
        fail_damaged(fmt::format("{} is said to have {} bytes", what, length));
    }
    throw Error(fmt::format("the file is cut or damaged: {} ends at byte {}, but the file has {} bytes", what,
                            offset + length, file_size));
}

void fail_damaged(const std::string& detail) {
    throw Error("the file is damaged: " + detail);
}

void require_range(ByteView file, std::uint64_t offset, std::uint64_t length, std::string_view what) {
    if (!file.holds(offset, length)) {
        fail_cut(what, offset, length, file.size());
    }
}

void require_count(std::uint64_t count, std::uint64_t limit, std::string_view what) {
    if (count > limit) {
        fail_damaged(fmt::format("it is said to have {} {}, and no more than {} are read", count, what, limit));
    }
}

void require_agreement(std::uint64_t read, std::uint64_t stated, std::string_view what) {
    if (read != stated) {
        fail_damaged(fmt::format("LIEF read {} of {} {}", read, stated, what));
    }
}

std::string printable(std::string_view name) {
    constexpr std::size_t longest = 60;
    std::string text(name.substr(0, longest));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    if (name.size() > longest) {
        text += "...";
    }
    return text;
}

void NameBudget::take(std::string_view name) {
    if (name.size() >= left_) {
        fail_damaged("its names are too long together to be names");
    }
    left_ -= name.size() + 1;
}

std::vector<std::uint8_t> edited_copy(ByteView file, std::uint64_t length, std::span<const Edit> edits) {
    const auto source = file.part(0, length).bytes();
    const auto* first = reinterpret_cast<const std::uint8_t*>(source.data());
    std::vector<std::uint8_t> copy(first, first + source.size());
    for (const Edit& edit : edits) {
        if (edit.offset > copy.size() || edit.width > copy.size() - edit.offset) {
            continue;  // what lies past the copied part is not seen anyway
        }
        for (unsigned i = 0; i < edit.width; ++i) {
            copy[static_cast<std::size_t>(edit.offset) + i] = static_cast<std::uint8_t>(edit.value >> (8U * i));
        }
    }
    return copy;
}

}  // namespace nasm_build::inspect
