// Code signatures: a SuperBlob that lists blobs, among them code directories, each with the hashes of all pages.
//
// The layouts are those of XNU's <kern/cs_blobs.h>; all numbers are big-endian. Of several code directories the kernel takes
// the one with the strongest hash (hash_rank in bsd/kern/ubc_subr.c), so that one is compared here. A page is hashed when it
// is first touched, which is why a stale one ends a process long after the import has begun.
#include "inspect/read/signature_macho.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "inspect/read/digest.hpp"

namespace nasm_build::inspect::macho {

namespace {

constexpr std::uint32_t super_blob_magic = 0xFADE0CC0, directory_magic = 0xFADE0C02;
constexpr std::uint32_t directory_slot = 0, first_alternate_slot = 0x1000, end_of_alternate_slots = 0x1005;
constexpr std::uint64_t blob_limit = 64;

/// CS_HASHTYPE_*: the size of a hash, and how the kernel ranks it.
struct HashKind {
    std::uint8_t number;
    std::uint8_t size;
    unsigned rank;
    const char* name;
};
constexpr auto hash_kinds = std::to_array<HashKind>({
    {1, 20, 1, "SHA-1"},
    {3, 20, 2, "SHA-256, cut to 20 bytes"},
    {2, 32, 3, "SHA-256"},
    {4, 48, 4, "SHA-384"},
});

/// A code directory: where its page hashes lie, and what they are hashes of.
struct Directory {
    const HashKind* kind = nullptr;
    std::uint64_t hashes = 0;  ///< offset of the first page's hash within the blob
    std::uint64_t slots = 0;
    std::uint64_t limit = 0;  ///< the bytes of the slice that are signed, counted from its start
    std::uint64_t page_size = 0;
    ByteView blob;
};

std::uint32_t load(ByteView view, std::uint64_t at) {
    if (!view.holds(at, 4)) {
        throw Error("it reaches past its end");
    }
    return view.load<std::uint32_t>(at, std::endian::big);
}

Directory read_directory(ByteView slice, ByteView blob) {
    constexpr std::uint64_t fixed_size = 44;
    constexpr std::uint32_t version_with_wide_limit = 0x20300;
    if (!blob.holds(0, fixed_size)) {
        throw Error("its code directory is cut");
    }
    const auto number = blob.load<std::uint8_t>(37);
    const auto* const kind =
        std::find_if(hash_kinds.begin(), hash_kinds.end(), [&](const HashKind& one) { return one.number == number; });
    if (kind == hash_kinds.end()) {
        throw Error(fmt::format("its code directory has hashes of the unknown kind {}", number));
    }
    if (blob.load<std::uint8_t>(36) != kind->size) {
        throw Error(
            fmt::format("its code directory has hashes of {} bytes by {}", blob.load<std::uint8_t>(36), kind->name));
    }
    Directory directory;
    directory.kind = kind;
    directory.blob = blob;
    directory.hashes = load(blob, 16);
    directory.slots = load(blob, 28);
    directory.limit = load(blob, 32);
    if (load(blob, 8) >= version_with_wide_limit && blob.holds(56, 8) &&
        blob.load<std::uint64_t>(56, std::endian::big) != 0) {
        directory.limit = blob.load<std::uint64_t>(56, std::endian::big);
    }
    const auto page_bits = blob.load<std::uint8_t>(39);
    if (page_bits > 31) {
        throw Error(fmt::format("its code directory has pages of 2^{} bytes", page_bits));
    }
    directory.page_size = page_bits == 0 ? std::max<std::uint64_t>(directory.limit, 1) : std::uint64_t{1} << page_bits;
    if (directory.limit > slice.size()) {
        throw Error(fmt::format("it signs {} bytes, but the slice has {}", directory.limit, slice.size()));
    }
    if (!blob.holds(directory.hashes, directory.slots * kind->size)) {
        throw Error("the hashes of its code directory reach past its end");
    }
    return directory;
}

std::optional<Directory> best_directory(ByteView slice, ByteView super_blob) {
    if (load(super_blob, 0) != super_blob_magic) {
        throw Error(
            fmt::format("it begins with 0x{:08x}, not with the number of a list of blobs", load(super_blob, 0)));
    }
    const std::uint64_t count = load(super_blob, 8);
    if (count > blob_limit) {
        throw Error(fmt::format("it is said to have {} blobs", count));
    }
    std::optional<Directory> best;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint32_t slot = load(super_blob, 12 + i * 8);
        const std::uint64_t at = load(super_blob, 16 + i * 8);
        const bool is_directory =
            slot == directory_slot || (slot >= first_alternate_slot && slot < end_of_alternate_slots);
        if (!is_directory) {
            continue;
        }
        const std::uint64_t length = load(super_blob, at + 4);
        if (load(super_blob, at) != directory_magic || !super_blob.holds(at, length)) {
            throw Error("its code directory is cut, or is none");
        }
        const Directory directory = read_directory(slice, super_blob.part(at, length));
        if (!best || directory.kind->rank > best->kind->rank) {
            best = directory;
        }
    }
    return best;
}

bool is_stale(ByteView slice, const Directory& directory, std::uint64_t page) {
    const std::uint64_t start = page * directory.page_size;
    const auto bytes = slice.part(start, std::min(directory.page_size, directory.limit - start)).bytes();
    const auto stated =
        directory.blob.part(directory.hashes + page * directory.kind->size, directory.kind->size).bytes();
    const auto differs = [&](const auto& hash) {
        return !std::equal(stated.begin(), stated.end(), hash.begin(), [](std::byte one, std::uint8_t other) {
            return std::to_integer<std::uint8_t>(one) == other;
        });
    };
    constexpr std::uint8_t sha1_number = 1;
    return directory.kind->number == sha1_number ? differs(sha1(bytes)) : differs(sha256(bytes));
}

void compare_pages(ByteView slice, const Directory& directory, CodeSignature& found) {
    found.pages = (directory.limit + directory.page_size - 1) / directory.page_size;
    if (directory.slots < found.pages) {
        throw Error(fmt::format("it has hashes of {} pages, and signs {}", directory.slots, found.pages));
    }
    if (directory.kind->size > sizeof(sha256({}))) {
        found.unread_hash = directory.kind->name;
        return;
    }
    for (std::uint64_t page = 0; page < found.pages; ++page) {
        if (is_stale(slice, directory, page)) {
            found.first_stale = found.stale_pages == 0 ? page * directory.page_size : found.first_stale;
            ++found.stale_pages;
        }
    }
}

}  // namespace

// What does not hold together is thrown within this file alone, and becomes a fact here.
CodeSignature signature(ByteView slice, const Layout& layout) {
    CodeSignature found;
    if (layout.code_signature.size == 0) {
        return found;
    }
    found.state = SignatureState::read;
    try {
        const auto directory =
            best_directory(slice, slice.part(layout.code_signature.offset, layout.code_signature.size));
        if (!directory) {
            throw Error("it has no code directory");
        }
        compare_pages(slice, *directory, found);
    } catch (const Error& error) {
        found.state = SignatureState::damaged;
        found.damage = error.what();
    }
    return found;
}

}  // namespace nasm_build::inspect::macho
