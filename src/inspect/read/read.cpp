// Tells the formats apart and hands the bytes to the reader of the right one.
#include "inspect/read/read.hpp"

#include <fmt/format.h>

#include <new>

#include "base/error.hpp"
#include "inspect/read/elf.hpp"
#include "inspect/read/foreign.hpp"
#include "inspect/read/guard_macho.hpp"
#include "inspect/read/macho.hpp"
#include "inspect/read/pe.hpp"

namespace nasm_build::inspect {

namespace {

/// Java class files start as fat Mach-O files do; their second word is a version of at least 45.
bool is_fat(ByteView file) noexcept {
    const auto magic = file.load<std::uint32_t>(0, std::endian::big);
    const auto count = file.holds(4, 4) ? file.load<std::uint32_t>(4, std::endian::big) : 0;
    return magic == macho::fat_magic_64 || (magic == macho::fat_magic && count < 45);
}

[[noreturn]] void refuse(ByteView file) {
    if (file.size() == 0) {
        throw Error("the file is empty");
    }
    const std::string what = describe_foreign(file);
    if (what.empty()) {
        throw Error("the file is not a module: it is neither ELF, PE nor Mach-O");
    }
    throw Error(fmt::format("the file is {}, not a module", what));
}

std::vector<Image> read_by_type(ByteView file, const ReadOptions& options) {
    switch (file_type_of(file.bytes())) {
        case FileType::elf:
            return {elf::read(file, options)};
        case FileType::pe:
            return {pe::read(file, options)};
        case FileType::macho:
            return {macho::read(file, options)};
        case FileType::macho_fat:
            return macho::read_fat(file, options);
        case FileType::zip:
        case FileType::other:
            break;
    }
    refuse(file);
}

}  // namespace

FileType file_type_of(std::span<const std::byte> bytes) noexcept {
    const ByteView file(bytes);
    if (file.holds(0, 2) && file.load<std::uint16_t>(0) == 0x5A4D) {  // MZ
        return FileType::pe;
    }
    if (!file.holds(0, 4)) {
        return FileType::other;
    }
    const auto magic = file.load<std::uint32_t>(0);
    const auto swapped = swap_bytes(magic);
    if (magic == 0x464C457F) {  // \x7FELF
        return FileType::elf;
    }
    if (magic == macho::magic_32 || magic == macho::magic_64 || swapped == macho::magic_32 ||
        swapped == macho::magic_64) {
        return FileType::macho;
    }
    if (is_fat(file)) {
        return FileType::macho_fat;
    }
    return magic == 0x04034B50 || magic == 0x06054B50 ? FileType::zip : FileType::other;  // PK
}

std::vector<Image> read_images(std::span<const std::byte> file, const ReadOptions& options) {
    try {
        return read_by_type(file, options);
    } catch (const std::bad_alloc&) {
        throw Error("there is not enough memory to read the file");
    }
}

}  // namespace nasm_build::inspect
