// The door to the readers of objects: the first bytes say which one reads them.
#include "inspect/read/object.hpp"

#include <fmt/format.h>

#include "base/byte_view.hpp"
#include "base/error.hpp"
#include "inspect/read/foreign.hpp"
#include "inspect/read/object_coff.hpp"
#include "inspect/read/object_elf.hpp"
#include "inspect/read/object_macho.hpp"

namespace nasm_build::inspect {

namespace {

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
    if (magic == 0xFEEDFACF) {  // MH_MAGIC_64
        return ObjectFormat::macho;
    }
    // COFF has no magic: an object begins with its machine, and has no optional header.
    const bool is_coff = (magic & 0xFFFFU) == 0x8664 && file.holds(0, 20) && file.load<std::uint16_t>(16) == 0;
    return is_coff ? std::optional(ObjectFormat::coff) : std::nullopt;
}

std::vector<ObjectCode> code_of_object(std::span<const std::byte> object) {
    switch (object_format(object).value_or(ObjectFormat::elf)) {
        case ObjectFormat::coff:
            return coff::code_of(object);
        case ObjectFormat::macho:
            return macho::code_of(object);
        case ObjectFormat::elf:
            break;
    }
    if (!object_format(object)) {
        refuse(object);
    }
    return elf::code_of(object);
}

}  // namespace nasm_build::inspect
