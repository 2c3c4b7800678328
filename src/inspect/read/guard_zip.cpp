// Reads a ZIP archive's directory as PKWARE's APPNOTE 6.3 lays it out. libzip believes the offsets in it; Python's zipfile, and so
// pip, refuses entries whose two names differ and, from 3.12 on, entries that overlap.
#include "inspect/read/guard_zip.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "inspect/read/foreign.hpp"
#include "inspect/read/guard.hpp"

namespace nasm_build::inspect {

namespace {

constexpr std::uint32_t entry_signature = 0x04034B50;
constexpr std::uint32_t listed_signature = 0x02014B50;
constexpr std::uint32_t end_signature = 0x06054B50;
constexpr std::uint32_t end64_signature = 0x06064B50;
constexpr std::uint32_t locator_signature = 0x07064B50;
constexpr std::uint64_t entry_size = 30;
constexpr std::uint64_t listed_size = 46;
constexpr std::uint64_t end_size = 22;
constexpr std::uint64_t end64_size = 56;
constexpr std::uint64_t locator_size = 20;
constexpr std::uint64_t saturated = 0xFFFFFFFF;

/// Where the directory is, and what stands behind it.
struct Directory {
    std::uint64_t entries = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
    std::uint64_t end = 0;  ///< the first byte that is no longer its own
};

/// The bytes from an entry's own header to the end of its contents.
struct Extent {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::string_view name;
};

void require_zip(ByteView file) {
    if (file.size() == 0) {
        throw Error("the file is empty");
    }
    const std::uint32_t start = file.holds(0, 4) ? file.load<std::uint32_t>(0) : 0;
    if (start != entry_signature && start != end_signature) {
        const std::string what = describe_foreign(file);
        throw Error(what.empty() ? "the file is not a ZIP archive"
                                 : fmt::format("the file is {}, not a ZIP archive", what));
    }
}

/// The last end record whose comment the file holds (4.3.16).
std::uint64_t find_end(ByteView file) {
    constexpr std::uint64_t longest_comment = 65'535;
    for (std::uint64_t back = end_size; back <= end_size + longest_comment && back <= file.size(); ++back) {
        const std::uint64_t at = file.size() - back;
        if (file.load<std::uint32_t>(at) == end_signature && file.load<std::uint16_t>(at + 20) + end_size <= back) {
            return at;
        }
    }
    throw Error("the file is cut: the ZIP archive has no directory at its end");
}

/// The record for archives beyond 4 GB or 65,535 entries (4.3.14), where a locator stands before the end record.
bool read_end64(ByteView file, std::uint64_t end, Directory& directory) {
    if (end < locator_size || file.load<std::uint32_t>(end - locator_size) != locator_signature) {
        return false;
    }
    const auto at = file.load<std::uint64_t>(end - locator_size + 8);
    if (end < locator_size + end64_size || at > end - locator_size - end64_size ||
        file.load<std::uint32_t>(at) != end64_signature) {
        fail_damaged("the ZIP archive has a ZIP64 locator that leads to no ZIP64 record");
    }
    directory = {file.load<std::uint64_t>(at + 32), file.load<std::uint64_t>(at + 40),
                 file.load<std::uint64_t>(at + 48), at};
    return true;
}

Directory find_directory(ByteView file) {
    const std::uint64_t end = find_end(file);
    const Directory stated{file.load<std::uint16_t>(end + 10), file.load<std::uint32_t>(end + 12),
                           file.load<std::uint32_t>(end + 16), end};
    Directory directory = stated;
    if (read_end64(file, end, directory)) {
        const auto agrees = [](std::uint64_t small, std::uint64_t large, std::uint64_t limit) {
            return small == limit || small == large;
        };
        if (!agrees(stated.entries, directory.entries, 0xFFFF) || !agrees(stated.size, directory.size, saturated) ||
            !agrees(stated.offset, directory.offset, saturated)) {
            fail_damaged("the ZIP64 record of the ZIP archive says something else than its end record");
        }
    }
    if (directory.offset > directory.end || directory.size > directory.end - directory.offset ||
        directory.entries > directory.size / listed_size) {
        fail_damaged("the directory of the ZIP archive does not lie in it");
    }
    return directory;
}

/// Numbers that do not fit into the directory's 32-bit fields, in the order that 4.5.3 gives.
void read_extra64(Cursor extra, std::uint64_t& size, std::uint64_t& packed_size, std::uint64_t& offset) {
    while (extra.left() >= 4) {
        const auto kind = extra.read<std::uint16_t>();
        const std::uint64_t length = extra.read<std::uint16_t>();
        const std::uint64_t next = extra.position() + length;
        if (kind == 1) {
            const std::uint64_t end = extra.left() - std::min(extra.left(), length);
            for (std::uint64_t* number : {&size, &packed_size, &offset}) {
                if (*number == saturated && extra.left() >= end + 8) {
                    *number = extra.read<std::uint64_t>();
                }
            }
            return;
        }
        while (!extra.failed() && extra.position() < next) {
            static_cast<void>(extra.read<std::uint8_t>());
        }
    }
}

std::string_view text_at(ByteView file, std::uint64_t offset, std::uint64_t length) {
    const auto bytes = file.part(offset, length).bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Compares an entry's own header with what the directory says of it.
Extent check_entry(ByteView file, const ZipEntry& entry, std::uint64_t offset, const Directory& directory) {
    const auto fail = [&entry](const char* what) {
        fail_damaged(fmt::format("{} {} the ZIP archive's directory says", printable(entry.name), what));
    };
    const std::uint64_t room = directory.offset;
    if (offset > room || room - offset < entry_size || file.load<std::uint32_t>(offset) != entry_signature) {
        fail("is not where");
    }
    const std::uint64_t name_size = file.load<std::uint16_t>(offset + 26);
    const std::uint64_t data = offset + entry_size + name_size + file.load<std::uint16_t>(offset + 28);
    if (data > room || entry.packed_size > room - data) {
        fail("does not have the size that");
    }
    if (text_at(file, offset + entry_size, name_size) != entry.name) {
        fail("has another name than");
    }
    return {offset, data + entry.packed_size, entry.name};
}

void require_apart(std::vector<Extent> extents) {
    std::sort(extents.begin(), extents.end(),
              [](const Extent& left, const Extent& right) { return left.start < right.start; });
    for (std::size_t i = 1; i < extents.size(); ++i) {
        if (extents[i].start < extents[i - 1].end) {
            throw Error(fmt::format("the ZIP archive is a bomb: {} and {} share their bytes",
                                    printable(extents[i - 1].name), printable(extents[i].name)));
        }
    }
}

}  // namespace

std::vector<ZipEntry> guard_zip(ByteView file, std::uint64_t most_entries) {
    require_zip(file);
    const Directory directory = find_directory(file);
    if (directory.entries > most_entries) {
        throw Error(fmt::format("the ZIP archive has {} entries, and no more than {} are read", directory.entries,
                                most_entries));
    }
    std::vector<ZipEntry> entries;
    std::vector<Extent> extents;
    const ByteView listed = file.part(0, directory.offset + directory.size);
    std::uint64_t at = directory.offset;
    for (std::uint64_t index = 0; index < directory.entries; ++index) {
        if (!listed.holds(at, listed_size) || listed.load<std::uint32_t>(at) != listed_signature) {
            fail_damaged(
                fmt::format("the directory of the ZIP archive has {} entries, not {}", index, directory.entries));
        }
        const std::uint64_t name_size = listed.load<std::uint16_t>(at + 28);
        const std::uint64_t extra_size = listed.load<std::uint16_t>(at + 30);
        const std::uint64_t comment_size = listed.load<std::uint16_t>(at + 32);
        std::uint64_t packed_size = listed.load<std::uint32_t>(at + 20);
        std::uint64_t size = listed.load<std::uint32_t>(at + 24);
        std::uint64_t offset = listed.load<std::uint32_t>(at + 42);
        const std::string_view name = text_at(listed, at + listed_size, name_size);
        read_extra64(Cursor(listed.part(at + listed_size + name_size, extra_size)), size, packed_size, offset);
        if (size == saturated || packed_size == saturated || offset == saturated) {
            fail_damaged(fmt::format("{} has a size of 64 bits in the ZIP archive that is not there", printable(name)));
        }
        entries.push_back({name, size, packed_size});
        extents.push_back(check_entry(file, entries.back(), offset, directory));
        at += listed_size + name_size + extra_size + comment_size;
    }
    require_apart(std::move(extents));
    return entries;
}

}  // namespace nasm_build::inspect
