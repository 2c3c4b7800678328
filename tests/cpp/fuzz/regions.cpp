// Finds them by the few header fields that lead to them. Small tables count as often as large ones: the mutator picks a region
// first, then a field in it.
#include "regions.hpp"

#include <cstring>

namespace nasm_build::fuzz {

namespace {

class Finder {
public:
    explicit Finder(std::span<const std::byte> file) : file_(file) {}

    std::vector<Region> find() {
        switch (load<std::uint32_t>(0)) {
            case 0x464C457F:
                find_elf();
                break;
            case 0xFEEDFACF:
            case 0xFEEDFACE:
                find_macho(0);
                break;
            case 0xBEBAFECA:
                find_fat();
                break;
            case 0x04034B50:
                find_zip();
                break;
            default:
                if (load<std::uint16_t>(0) == 0x5A4D) {
                    find_pe();
                }
        }
        if (regions_.empty()) {
            add(0, file_.size());
        }
        return std::move(regions_);
    }

private:
    template <typename T>
    [[nodiscard]] T load(std::size_t offset) const {
        T value = 0;
        if (offset <= file_.size() && sizeof(T) <= file_.size() - offset) {
            std::memcpy(&value, file_.data() + offset, sizeof(T));
        }
        return value;
    }

    void add(std::size_t offset, std::size_t size) {
        if (offset < file_.size() && size != 0) {
            regions_.push_back({offset, size < file_.size() - offset ? size : file_.size() - offset});
        }
    }

    void find_elf() {
        const bool is_64 = load<std::uint8_t>(4) == 2;
        add(0, is_64 ? 64 : 52);
        const std::size_t segments = is_64 ? load<std::uint64_t>(32) : load<std::uint32_t>(28);
        const std::size_t sections = is_64 ? load<std::uint64_t>(40) : load<std::uint32_t>(32);
        const std::size_t segment_size = is_64 ? 56 : 32;
        const std::size_t section_size = is_64 ? 64 : 40;
        add(segments, segment_size * load<std::uint16_t>(is_64 ? 56 : 44));
        const std::size_t count = load<std::uint16_t>(is_64 ? 60 : 48);
        add(sections, section_size * count);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = sections + i * section_size;
            const auto type = load<std::uint32_t>(at + 4);
            const std::size_t offset = is_64 ? load<std::uint64_t>(at + 24) : load<std::uint32_t>(at + 16);
            const std::size_t size = is_64 ? load<std::uint64_t>(at + 32) : load<std::uint32_t>(at + 20);
            if (type != 1 && type != 8) {  // neither plain contents nor .bss: a table
                add(offset, size);
            }
            if (type == 1 && is_64 && load<std::uint16_t>(16) == 1 && load<std::uint64_t>(at + 8) == 0) {
                add(offset, size);  // debug data of an object
            }
        }
    }

    void find_pe() {
        const std::size_t header = load<std::uint32_t>(60);
        add(0, 64);
        const std::size_t optional = header + 24;
        const std::size_t optional_size = load<std::uint16_t>(header + 20);
        const std::size_t count = load<std::uint16_t>(header + 6);
        add(header, 24);
        add(optional, optional_size);
        const std::size_t sections = optional + optional_size;
        add(sections, count * 40);
        const std::size_t directories = optional + (load<std::uint16_t>(optional) == 0x20B ? 112 : 96);
        for (std::size_t directory = 0; directory < 16; ++directory) {
            const std::size_t address = load<std::uint32_t>(directories + directory * 8);
            const std::size_t size = load<std::uint32_t>(directories + directory * 8 + 4);
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t at = sections + i * 40;
                const std::size_t start = load<std::uint32_t>(at + 12);
                if (address >= start && address - start < load<std::uint32_t>(at + 16)) {
                    add(load<std::uint32_t>(at + 20) + address - start, size);
                }
            }
        }
    }

    void find_macho(std::size_t start) {
        const bool is_64 = load<std::uint32_t>(start) == 0xFEEDFACF;
        add(start, 32);
        std::size_t at = start + (is_64 ? 32 : 28);
        const std::size_t commands = load<std::uint32_t>(start + 16);
        for (std::size_t i = 0; i < commands; ++i) {
            const auto type = load<std::uint32_t>(at) & 0x7FFFFFFFU;
            const std::size_t size = load<std::uint32_t>(at + 4);
            if (size < 8) {
                break;
            }
            add(at, size);
            if (type == 0x2) {  // LC_SYMTAB
                add(start + load<std::uint32_t>(at + 8), load<std::uint32_t>(at + 12) * std::size_t{is_64 ? 16U : 12U});
            } else if (type == 0x22) {  // LC_DYLD_INFO
                for (std::size_t field = 8; field < 48; field += 8) {
                    add(start + load<std::uint32_t>(at + field), load<std::uint32_t>(at + field + 4));
                }
            } else if (type == 0x33 || type == 0x34) {  // the export trie, the chained fixups
                add(start + load<std::uint32_t>(at + 8), load<std::uint32_t>(at + 12));
            }
            at += size;
        }
    }

    void find_fat() {
        const auto swapped = [this](std::size_t at) {
            return std::size_t{load<std::uint8_t>(at)} << 24U | std::size_t{load<std::uint8_t>(at + 1)} << 16U |
                   std::size_t{load<std::uint8_t>(at + 2)} << 8U | load<std::uint8_t>(at + 3);
        };
        const std::size_t count = swapped(4);
        add(0, 8 + count * 20);
        for (std::size_t i = 0; i < count; ++i) {
            find_macho(swapped(8 + i * 20 + 8));
        }
    }

    void find_zip() {
        const std::size_t end = file_.size() < 22 ? 0 : file_.size() - 22;
        add(end, 22);
        add(load<std::uint32_t>(end + 16), load<std::uint32_t>(end + 12));
        for (std::size_t at = 0; load<std::uint32_t>(at) == 0x04034B50;) {
            const std::size_t size = std::size_t{30} + load<std::uint16_t>(at + 26) + load<std::uint16_t>(at + 28);
            add(at, size);
            at += size + load<std::uint32_t>(at + 18);
        }
    }

    std::span<const std::byte> file_;
    std::vector<Region> regions_;
};

}  // namespace

std::vector<Region> regions_of(std::span<const std::byte> file) {
    return Finder(file).find();
}

}  // namespace nasm_build::fuzz
