// Fat Mach-O files: a list of slices, each a Mach-O file of its own. LIEF 0.12.3 drops slices that it cannot read, so it is
// given one slice at a time.
#include <fmt/format.h>

#include <algorithm>

#include "inspect/read/guard_macho.hpp"

namespace nasm_build::inspect::macho {

namespace {

constexpr std::uint64_t slice_limit = 32;

}  // namespace

std::string name_of_cpu(std::uint32_t type, std::uint32_t subtype) {
    const std::uint32_t kind = subtype & 0x00FFFFFFU;  // the top byte holds capabilities
    switch (type) {
        case 7:
            return "i386";
        case 0x01000007:
            return kind == 8 ? "x86_64h" : "x86_64";
        case 12:
            return kind == 9 ? "armv7" : kind == 11 ? "armv7s" : "arm";
        case 0x0100000C:
            return kind == 2 ? "arm64e" : "arm64";
        case 0x0200000C:
            return "arm64_32";
        case 18:
            return "ppc";
        case 0x01000012:
            return "ppc64";
        default:
            return fmt::format("cpu-{}", type);
    }
}

std::vector<Slice> fat_slices(ByteView file) {
    constexpr auto big = std::endian::big;  // fat headers are big-endian, whatever their slices are
    require_range(file, 0, 8, "the fat header");
    const bool is_64 = file.load<std::uint32_t>(0, big) == fat_magic_64;
    const std::uint64_t count = file.load<std::uint32_t>(4, big);
    const std::uint64_t entry = is_64 ? 32 : 20;
    if (count == 0) {
        fail_damaged("its fat header has no slices");
    }
    require_count(count, slice_limit, "slices");
    require_range(file, 8, count * entry, "the fat header");
    std::vector<Slice> slices;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> taken = {{0, 8 + count * entry}};
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t at = 8 + i * entry;
        const std::string name = name_of_cpu(file.load<std::uint32_t>(at, big), file.load<std::uint32_t>(at + 4, big));
        const std::uint64_t offset =
            is_64 ? file.load<std::uint64_t>(at + 8, big) : file.load<std::uint32_t>(at + 8, big);
        const std::uint64_t size =
            is_64 ? file.load<std::uint64_t>(at + 16, big) : file.load<std::uint32_t>(at + 12, big);
        require_range(file, offset, size, fmt::format("slice {}", name));
        const bool overlaps = std::any_of(taken.begin(), taken.end(), [&](const auto& other) {
            return offset < other.second && other.first < offset + size;
        });
        const bool repeated =
            std::any_of(slices.begin(), slices.end(), [&](const Slice& other) { return other.name == name; });
        if (overlaps || repeated) {
            fail_damaged(
                fmt::format("slice {} {}", name, overlaps ? "lies over other bytes of the file" : "is there twice"));
        }
        taken.emplace_back(offset, offset + size);
        slices.push_back({name, file.part(offset, size)});
    }
    return slices;
}

}  // namespace nasm_build::inspect::macho
