// From a file to the bytes of its x86-64 image: thin files, fat ones (universal2), and what is neither.
#include "slice.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::uint32_t MOST_SLICES = 32;  // a Java class has a fat file's magic, and 45 or more where the count is

std::string processor(std::uint64_t type) {
    switch (type) {
        case format::CPU_TYPE_X86_64:
            return "x86_64";
        case format::CPU_TYPE_ARM64:
            return "arm64";
        default:
            return "processor type " + std::to_string(type);
    }
}

/// What a file that is no Mach-O file is, as far as its first bytes tell.
std::string other_format(Bytes file) {
    if (file.size() >= 4 && file.read<std::uint32_t>(0) == 0x464c457fU) {
        return "is an ELF file, not a Mach-O bundle";
    }
    if (file.size() >= 2 && file.read<std::uint16_t>(0) == 0x5a4dU) {
        return "is a PE file, not a Mach-O bundle";
    }
    if (file.size() >= 4 && file.read<std::uint32_t>(0) == format::MH_MAGIC) {
        return "is a 32-bit Mach-O file";
    }
    return file.empty() ? "is empty" : "is no Mach-O file";
}

Bytes slice_of_fat(Bytes file, bool wide) {
    const auto count = static_cast<std::uint32_t>(file.read_big(4, 4));
    if (count > MOST_SLICES) {
        throw Error("is no Mach-O file");
    }
    const std::uint64_t entry_size = wide ? 32 : 20;
    const std::size_t number_size = wide ? 8 : 4;
    std::string found;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Bytes entry = file.part(8 + i * entry_size, entry_size, "an entry of the fat header");
        const std::uint64_t type = entry.read_big(0, 4);
        if (type == format::CPU_TYPE_X86_64) {
            return file.part(entry.read_big(8, number_size), entry.read_big(8 + number_size, number_size),
                             "the x86_64 slice");
        }
        found += (found.empty() ? "" : ", ") + processor(type);
    }
    throw Error("has no x86_64 slice, only: " + (found.empty() ? "none at all" : found));
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = stream ? std::streamoff{stream.tellg()} : -1;
    if (size < 0) {
        throw Error(std::string("cannot be read: ") + std::strerror(errno));
    }
    std::vector<std::byte> data(static_cast<std::size_t>(size));
    stream.seekg(0);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the form that a stream reads bytes in
    if (!stream.read(reinterpret_cast<char*>(data.data()), size)) {
        throw Error(std::string("cannot be read: ") + std::strerror(errno));
    }
    return data;
}

Bytes x86_64_slice(Bytes file) {
    if (file.size() < 4) {
        throw Error(other_format(file));
    }
    const auto fat_magic = static_cast<std::uint32_t>(file.read_big(0, 4));
    Bytes slice = file;
    if (fat_magic == format::FAT_MAGIC || fat_magic == format::FAT_MAGIC_64) {
        slice = slice_of_fat(file, fat_magic == format::FAT_MAGIC_64);
    }
    if (slice.size() < 4 || slice.read<std::uint32_t>(0) != format::MH_MAGIC_64) {
        throw Error(other_format(slice));
    }
    const Bytes header = slice.part(0, format::MACH_HEADER_SIZE, "the Mach-O header");
    const auto type = header.read<std::uint32_t>(4);
    if (type != format::CPU_TYPE_X86_64) {
        throw Error("is for " + processor(type) + ", not for x86_64");
    }
    return slice;
}

}  // namespace macho_loader
