// The door to the readers of objects: the first bytes say which one reads them.
#include "inspect/read/object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/byte_view.hpp"
#include "base/error.hpp"
#include "inspect/read/foreign.hpp"
#include "inspect/read/object_coff.hpp"
#include "inspect/read/object_elf.hpp"
#include "inspect/read/object_macho.hpp"

namespace nasm_build::inspect {

namespace {

constexpr std::uint32_t cpu_x86_64 = 0x01000007;  // CPU_TYPE_X86_64

// The half for x86-64 of a universal object, which a build for both of macOS's processors joins from NASM's and the compiler's
// (<mach-o/fat.h>). Empty for every other file, and for a half that is not whole.
std::span<const std::byte> slice_for_x86_64(ByteView file) noexcept {
    constexpr std::uint64_t header_size = 8, entry_size = 20, most = 32;
    if (!file.holds(0, header_size) || file.load<std::uint32_t>(0, std::endian::big) != 0xCAFEBABE) {
        return {};
    }
    const std::uint64_t count = std::min<std::uint64_t>(file.load<std::uint32_t>(4, std::endian::big), most);
    for (std::uint64_t i = 0; i < count && file.holds(header_size + i * entry_size, entry_size); ++i) {
        const std::uint64_t entry = header_size + i * entry_size;
        const auto offset = file.load<std::uint32_t>(entry + 8, std::endian::big);
        const auto size = file.load<std::uint32_t>(entry + 12, std::endian::big);
        if (file.load<std::uint32_t>(entry, std::endian::big) == cpu_x86_64 && file.holds(offset, size)) {
            return file.part(offset, size).bytes();
        }
    }
    return {};
}

[[noreturn]] void refuse(ByteView file) {
    if (file.size() == 0) {
        throw Error("the object is empty");
    }
    const std::string what = describe_foreign(file);
    throw Error(what.empty() ? "the file is no object for x86-64"
                             : fmt::format("the file is {}, not an object for x86-64", what));
}

}  // namespace

std::optional<ObjectFormat> object_format(std::span<const std::byte> bytes) noexcept {
    const ByteView file(bytes);
    if (!file.holds(0, 4)) {
        return std::nullopt;
    }
    const auto magic = file.load<std::uint32_t>(0);
    if (magic == 0x464C457F) {  // \x7FELF
        return ObjectFormat::elf;
    }
    if (magic == 0xFEEDFACF && file.holds(4, 4) && file.load<std::uint32_t>(4) == cpu_x86_64) {  // MH_MAGIC_64
        return ObjectFormat::macho;
    }
    if (!slice_for_x86_64(file).empty()) {
        return ObjectFormat::macho;
    }
    // COFF has no magic: an object begins with its machine, and has no optional header.
    const bool is_coff = (magic & 0xFFFFU) == 0x8664 && file.holds(0, 20) && file.load<std::uint16_t>(16) == 0;
    return is_coff ? std::optional(ObjectFormat::coff) : std::nullopt;
}

std::vector<ObjectCode> code_of_object(std::span<const std::byte> object) {
    const std::optional<ObjectFormat> format = object_format(object);
    if (!format) {
        refuse(object);
    }
    switch (*format) {
        case ObjectFormat::coff:
            return coff::code_of(object);
        case ObjectFormat::macho: {
            const std::span<const std::byte> slice = slice_for_x86_64(object);
            return macho::code_of(slice.empty() ? object : slice);
        }
        case ObjectFormat::elf:
            break;
    }
    return elf::code_of(object);
}

}  // namespace nasm_build::inspect
