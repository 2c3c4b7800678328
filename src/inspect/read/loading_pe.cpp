// What Windows' loader is told of a PE file beyond its tables of names: flags, relocations, the load configuration.
#include <algorithm>

#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::pe {

namespace {

// IMAGE_LOAD_CONFIG_DIRECTORY64 of <winnt.h>: its own size first, CHPEMetadataPointer behind what earlier systems know. The
// pointer is set in ARM64EC and ARM64X files alone; the header's machine tells these two apart.
Hybrid hybrid_of(ByteView file, const Layout& layout) {
    constexpr std::uint64_t chpe_pointer = 200;
    const Range& range = layout.directories[load_config_directory];
    if (range.address == 0 || !layout.is_64) {
        return Hybrid::none;
    }
    const std::uint64_t at = offset_of(file, layout, range.address, 4, "the load configuration");
    const std::uint64_t size = file.load<std::uint32_t>(at);
    if (size < chpe_pointer + 8) {
        return Hybrid::none;
    }
    static_cast<void>(offset_of(file, layout, range.address, size, "the load configuration"));
    if (file.load<std::uint64_t>(at + chpe_pointer) == 0) {
        return Hybrid::none;
    }
    return layout.machine == Machine::arm64 ? Hybrid::arm64x : Hybrid::arm64ec;
}

bool lies_in_a_section(const Layout& layout, std::uint64_t address) {
    return std::any_of(layout.sections.begin(), layout.sections.end(), [&](const SectionHeader& section) {
        return address >= section.address && address - section.address < section.memory_size;
    });
}

std::uint64_t count_own_addresses(ByteView file, const Layout& layout) {
    std::uint64_t found = 0;
    for (const SectionHeader& section : layout.sections) {
        if ((section.characteristics & section_executable) != 0) {
            continue;
        }
        const std::uint64_t size = std::min(section.file_size, section.memory_size);
        for (std::uint64_t into = 0; into + 8 <= size; into += 8) {
            const auto value = file.load<std::uint64_t>(section.offset + into);
            const bool is_inside = value >= layout.image_base && value - layout.image_base < layout.image_size;
            found += is_inside && lies_in_a_section(layout, value - layout.image_base) ? 1U : 0U;
        }
    }
    return found;
}

}  // namespace

PeLoading read_loading(ByteView file, const Layout& layout) {
    const auto has = [&layout](std::uint16_t flag) { return (layout.dll_characteristics & flag) != 0; };
    const Range& relocations = layout.directories[relocation_directory];
    PeLoading loading;
    loading.hybrid = hybrid_of(file, layout);
    loading.relocations_stripped = (layout.characteristics & file_relocations_stripped) != 0;
    loading.has_relocations = relocations.address != 0 && relocations.size != 0;
    if (!loading.has_relocations && layout.is_64 && layout.image_base != 0) {
        loading.own_addresses = count_own_addresses(file, layout);
    }
    loading.dynamic_base = has(dll_dynamic_base);
    loading.high_entropy = has(dll_high_entropy);
    loading.no_execute = has(dll_no_execute);
    loading.control_flow_guard = has(dll_control_flow_guard);
    return loading;
}

}  // namespace nasm_build::inspect::pe
