// The words and the look-ups that hold for an Image of any format.
#include "inspect/image.hpp"

#include <algorithm>

namespace nasm_build::inspect {

const char* name_of(Format format) noexcept {
    switch (format) {
        case Format::elf:
            return "ELF";
        case Format::pe:
            return "PE";
        case Format::macho:
            return "Mach-O";
    }
    return "unknown";
}

const char* name_of(Machine machine) noexcept {
    switch (machine) {
        case Machine::unknown:
            return "unknown";
        case Machine::x86:
            return "x86";
        case Machine::x86_64:
            return "x86-64";
        case Machine::arm:
            return "arm";
        case Machine::arm64:
            return "arm64";
        case Machine::ppc64:
            return "ppc64";
        case Machine::ppc64le:
            return "ppc64le";
        case Machine::s390x:
            return "s390x";
        case Machine::riscv64:
            return "riscv64";
        case Machine::loongarch64:
            return "loongarch64";
    }
    return "unknown";
}

bool is_executable(const Image& image, std::uint64_t address) noexcept {
    const auto holds = [address](const auto& part) { return part.contains(address); };
    if (!image.sections.empty()) {
        const auto section = std::find_if(image.sections.begin(), image.sections.end(), holds);
        return section != image.sections.end() && section->executable;
    }
    const auto range = std::find_if(image.memory.begin(), image.memory.end(), holds);
    return range != image.memory.end() && range->executable;
}

std::string section_name(const Image& image, std::uint64_t address) {
    const auto holds = [address](const auto& part) { return part.contains(address); };
    const auto section = std::find_if(image.sections.begin(), image.sections.end(), holds);
    if (section != image.sections.end()) {
        return section->name;
    }
    const auto range = std::find_if(image.memory.begin(), image.memory.end(), holds);
    return range != image.memory.end() ? range->name : std::string{};
}

}  // namespace nasm_build::inspect
