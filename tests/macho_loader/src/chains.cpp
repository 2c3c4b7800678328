// Fixups as chains: LC_DYLD_CHAINED_FIXUPS, as <mach-o/fixup-chains.h> describes it.
//
// The command has a table of imports, and for each page of a segment the place of the first pointer. Each pointer holds
// in its own bits what it is to become and how far away the next one is.
#include <cstdint>
#include <string>

#include "fixups.hpp"
#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::uint64_t POINTER = 8;
constexpr std::uint64_t STRIDE = 4;  // of DYLD_CHAINED_PTR_64 and …_64_OFFSET
constexpr std::uint64_t STARTS_HEAD = 22;

/// `count` bits of a number, from bit `first` on.
constexpr std::uint64_t bits(std::uint64_t value, unsigned first, unsigned count) {
    return value >> first & ((std::uint64_t{1} << count) - 1);
}

struct Import {
    std::size_t reference = 0;
    std::uint64_t addend = 0;
};

/// A library's number has `width` bits; the highest few of its values are the special, negative ones.
int library_number(std::uint64_t value, unsigned width) {
    const std::uint64_t most = (std::uint64_t{1} << width) - 1;
    return value > most - 0xf ? static_cast<int>(value) - static_cast<int>(most) - 1 : static_cast<int>(value);
}

class Chains {
public:
    Chains(const Image& image, Fixups& result) : image_(image), data_(image.chained_fixups), result_(result) {}

    void run() {
        const auto version = data_.read<std::uint32_t>(0);
        if (version != 0) {
            throw Error("the chained fixups are of version " + std::to_string(version) + ", not 0");
        }
        read_imports();
        const auto starts = data_.read<std::uint32_t>(4);
        const auto count = data_.read<std::uint32_t>(starts);
        if (count > image_.segments.size()) {
            throw Error("the chained fixups are for " + std::to_string(count) + " segments, and there are " +
                        std::to_string(image_.segments.size()));
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto offset = data_.read<std::uint32_t>(starts + STRIDE + STRIDE * i);
            if (offset != 0) {
                read_segment(std::uint64_t{starts} + offset, image_.segments[i]);
            }
        }
    }

private:
    void read_imports() {
        const auto offset = data_.read<std::uint32_t>(8);
        const auto count = data_.read<std::uint32_t>(16);
        const auto form = data_.read<std::uint32_t>(20);
        if (data_.read<std::uint32_t>(24) != 0) {
            throw Error("the names of the chained fixups are compressed");
        }
        if (form < format::DYLD_CHAINED_IMPORT || form > format::DYLD_CHAINED_IMPORT_ADDEND64) {
            throw Error("the imports of the chained fixups are of form " + std::to_string(form));
        }
        const std::uint64_t size = form == format::DYLD_CHAINED_IMPORT ? 4 : form * POINTER - 8;  // 4, 8 and 16
        const Bytes entries = data_.part(offset, count * size, "the imports of the chained fixups");
        for (std::uint64_t i = 0; i < count; ++i) {
            read_import(entries, i * size, form);
        }
    }

    void read_import(Bytes entries, std::uint64_t at, std::uint32_t form) {
        Reference wanted;
        Import import{.reference = result_.references.size()};
        std::uint64_t name = 0;
        if (form == format::DYLD_CHAINED_IMPORT_ADDEND64) {
            const auto entry = entries.read<std::uint64_t>(at);
            wanted.library = library_number(bits(entry, 0, 16), 16);
            wanted.may_be_missing = bits(entry, 16, 1) != 0;
            name = bits(entry, 32, 32);
            import.addend = entries.read<std::uint64_t>(at + 8);
        } else {
            const auto entry = entries.read<std::uint32_t>(at);
            wanted.library = library_number(bits(entry, 0, 8), 8);
            wanted.may_be_missing = bits(entry, 8, 1) != 0;
            name = bits(entry, 9, 23);
            if (form == format::DYLD_CHAINED_IMPORT_ADDEND) {
                import.addend = static_cast<std::uint64_t>(std::int64_t{entries.read<std::int32_t>(at + 4)});
            }
        }
        wanted.name = data_.text(data_.read<std::uint32_t>(12) + name);
        result_.references.push_back(wanted);
        imports_.push_back(import);
    }

    void read_segment(std::uint64_t at, const Segment& segment) {
        const Bytes starts = data_.part(at, data_.read<std::uint32_t>(at), "the chain starts of a segment");
        const auto page_size = starts.read<std::uint16_t>(4);
        const auto form = starts.read<std::uint16_t>(6);
        const auto count = starts.read<std::uint16_t>(20);
        if (form != format::DYLD_CHAINED_PTR_64 && form != format::DYLD_CHAINED_PTR_64_OFFSET) {
            throw Error("the chained fixups of " + segment.name + " are pointers of form " + std::to_string(form) +
                        ", which is not one for x86_64");
        }
        if (starts.read<std::uint64_t>(8) != segment.address - image_.header) {
            throw Error("the chained fixups of " + segment.name + " are for another place than the segment's");
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto first = starts.read<std::uint16_t>(STARTS_HEAD + 2 * i);
            if (first == format::DYLD_CHAINED_PTR_START_NONE) {
                continue;
            }
            if ((first & format::DYLD_CHAINED_PTR_START_MULTI) != 0 || first >= page_size) {
                throw Error("a chain of " + segment.name + " does not start in its page");
            }
            follow(segment.address + i * page_size, first, page_size, form);
        }
    }

    /// One page's chain. A step is never negative and 0 is the end, so that it ends with the page at the latest.
    void follow(std::uint64_t page, std::uint64_t offset, std::uint64_t page_size, std::uint16_t form) {
        for (;;) {
            const std::uint64_t address = page + offset;
            const std::uint64_t stored = image_.stored(address);
            const bool is_bind = bits(stored, 63, 1) != 0;
            add_fixup(image_, result_, is_bind ? bind(address, stored) : rebase(address, stored, form));
            const std::uint64_t step = bits(stored, 51, 12) * STRIDE;
            if (step == 0) {
                return;
            }
            offset += step;
            if (offset >= page_size) {
                throw Error("a chain of fixups leads out of its page");
            }
        }
    }

    [[nodiscard]] Fixup bind(std::uint64_t address, std::uint64_t stored) const {
        const std::uint64_t ordinal = bits(stored, 0, 24);
        if (ordinal >= imports_.size()) {
            throw Error("a chained fixup is for import " + std::to_string(ordinal) + " of " +
                        std::to_string(imports_.size()));
        }
        const Import& import = imports_[ordinal];
        return {.address = address, .reference = import.reference, .value = import.addend + bits(stored, 24, 8)};
    }

    [[nodiscard]] Fixup rebase(std::uint64_t address, std::uint64_t stored, std::uint16_t form) const {
        const std::uint64_t base = form == format::DYLD_CHAINED_PTR_64_OFFSET ? image_.header : 0;
        return {.address = address, .value = base + bits(stored, 0, 36) + (bits(stored, 36, 8) << 56U)};
    }

    const Image& image_;
    Bytes data_;
    Fixups& result_;
    std::vector<Import> imports_;
};

}  // namespace

void read_chains(const Image& image, Fixups& result) {
    if (!image.chained_fixups.empty()) {
        Chains(image, result).run();
    }
}

void add_fixup(const Image& image, Fixups& result, const Fixup& fixup) {
    const Segment* segment = image.segment_of(fixup.address, POINTER);
    if (segment == nullptr) {
        throw Error("a fixup is for a place outside all segments");
    }
    if ((segment->protection & format::VM_PROT_WRITE) == 0) {
        throw Error("a fixup is for the segment " + segment->name + ", which is not writable");
    }
    // A pointer lies in the file, and can be fixed up three times at most: rebased, bound, and bound weakly.
    std::uint64_t room = 0;
    for (const Segment& one : image.segments) {
        room += one.content.size() / POINTER;
    }
    if (result.fixups.size() >= 3 * room) {
        throw Error("it has more fixups than pointers");
    }
    result.fixups.push_back(fixup);
}

Fixups read_fixups(const Image& image) {
    Fixups result;
    read_opcodes(image, result);
    read_chains(image, result);
    return result;
}

}  // namespace macho_loader
