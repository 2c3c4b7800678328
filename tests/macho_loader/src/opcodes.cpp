// Fixups as byte code: the rebase and bind opcodes of LC_DYLD_INFO, as <mach-o/loader.h> describes them.
//
// Each list drives a small machine with a current pointer (segment and offset) and, for binds, a current symbol.
#include <cstdint>
#include <string>
#include <utility>

#include "fixups.hpp"
#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::uint64_t POINTER = 8;
constexpr std::uint8_t TYPE_POINTER = 1;

enum class Kind { strong, weak, lazy };

/// The current pointer, which both machines move.
class Place {
public:
    explicit Place(const Image& image) : image_(&image) {}

    void set(std::uint8_t segment, std::uint64_t offset) {
        if (segment >= image_->segments.size()) {
            throw Error("a fixup is for segment " + std::to_string(segment) + " of " +
                        std::to_string(image_->segments.size()));
        }
        address_ = image_->segments[segment].address + offset;
        is_set_ = true;
    }

    /// Distances wrap around: linkers write a step back as a large number.
    void move(std::uint64_t distance) { address_ += distance; }

    [[nodiscard]] std::uint64_t address() const {
        if (!is_set_) {
            throw Error("a fixup says of no segment that it is for it");
        }
        return address_;
    }

private:
    const Image* image_;
    std::uint64_t address_ = 0;
    bool is_set_ = false;
};

[[noreturn]] void unknown(std::uint8_t opcode, std::string_view list) {
    throw Error("opcode " + std::to_string(opcode) + " of " + std::string(list) + " is not known");
}

void require_pointer(std::uint8_t type) {
    if (type != TYPE_POINTER) {
        throw Error("a fixup is of type " + std::to_string(type) + ", for code instead of a pointer");
    }
}

void read_rebases(const Image& image, Fixups& result) {
    Cursor cursor(image.rebases);
    Place place(image);
    const auto repeat = [&](std::uint64_t count, std::uint64_t skip) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t address = place.address();
            add_fixup(image, result, {.address = address, .value = image.stored(address)});
            place.move(POINTER + skip);
        }
    };
    while (!cursor.at_end()) {
        const std::uint8_t opcode = cursor.byte();
        const std::uint8_t immediate = opcode & format::IMMEDIATE_MASK;
        switch (opcode & format::OPCODE_MASK) {
            case 0x00:  // DONE
                return;
            case 0x10:  // SET_TYPE_IMM
                require_pointer(immediate);
                break;
            case 0x20:  // SET_SEGMENT_AND_OFFSET_ULEB
                place.set(immediate, cursor.uleb());
                break;
            case 0x30:  // ADD_ADDR_ULEB
                place.move(cursor.uleb());
                break;
            case 0x40:  // ADD_ADDR_IMM_SCALED
                place.move(immediate * POINTER);
                break;
            case 0x50:  // DO_REBASE_IMM_TIMES
                repeat(immediate, 0);
                break;
            case 0x60:  // DO_REBASE_ULEB_TIMES
                repeat(cursor.uleb(), 0);
                break;
            case 0x70:  // DO_REBASE_ADD_ADDR_ULEB
                repeat(1, cursor.uleb());
                break;
            case 0x80: {  // DO_REBASE_ULEB_TIMES_SKIPPING_ULEB
                const std::uint64_t count = cursor.uleb();
                repeat(count, cursor.uleb());
                break;
            }
            default:
                unknown(opcode, image.rebases.name());
        }
    }
}

/// The machine of the three lists of binds. In the lazy one, DONE ends one symbol's entry and not the list.
class Binder {
public:
    Binder(const Image& image, Bytes opcodes, Kind kind, Fixups& result)
        : image_(image), opcodes_(opcodes), cursor_(opcodes), kind_(kind), place_(image), result_(result) {}

    void run() {
        while (!cursor_.at_end()) {
            const std::uint8_t opcode = cursor_.byte();
            const std::uint8_t immediate = opcode & format::IMMEDIATE_MASK;
            if ((opcode & format::OPCODE_MASK) == 0) {  // DONE
                if (kind_ == Kind::lazy) {
                    continue;
                }
                return;
            }
            if (!describes(opcode, immediate)) {
                binds(opcode, immediate);
            }
        }
    }

private:
    /// The opcodes that say what is bound, and where; false for all others.
    bool describes(std::uint8_t opcode, std::uint8_t immediate) {
        switch (opcode & format::OPCODE_MASK) {
            case 0x10:  // SET_DYLIB_ORDINAL_IMM
                set_library(immediate);
                return true;
            case 0x20:  // SET_DYLIB_ORDINAL_ULEB
                set_library(static_cast<int>(cursor_.uleb() & 0xffffU));
                return true;
            case 0x30:  // SET_DYLIB_SPECIAL_IMM: a negative number of four bits, or 0
                set_library(immediate == 0 ? 0 : static_cast<int>(immediate) - 16);
                return true;
            case 0x40:  // SET_SYMBOL_TRAILING_FLAGS_IMM
                symbol_.name = cursor_.text();
                symbol_.may_be_missing = (immediate & format::BIND_SYMBOL_FLAGS_WEAK_IMPORT) != 0;
                current_ = REBASE;
                return true;
            case 0x50:  // SET_TYPE_IMM
                require_pointer(immediate);
                return true;
            case 0x60:  // SET_ADDEND_SLEB
                addend_ = static_cast<std::uint64_t>(cursor_.sleb());
                return true;
            case 0x70:  // SET_SEGMENT_AND_OFFSET_ULEB
                place_.set(immediate, cursor_.uleb());
                return true;
            case 0x80:  // ADD_ADDR_ULEB
                place_.move(cursor_.uleb());
                return true;
            default:
                return false;
        }
    }

    void binds(std::uint8_t opcode, std::uint8_t immediate) {
        switch (opcode & format::OPCODE_MASK) {
            case 0x90:  // DO_BIND
                return bind(1, 0);
            case 0xa0:  // DO_BIND_ADD_ADDR_ULEB
                return bind(1, cursor_.uleb());
            case 0xb0:  // DO_BIND_ADD_ADDR_IMM_SCALED
                return bind(1, immediate * POINTER);
            case 0xc0: {  // DO_BIND_ULEB_TIMES_SKIPPING_ULEB
                const std::uint64_t count = cursor_.uleb();
                return bind(count, cursor_.uleb());
            }
            default:
                unknown(opcode, opcodes_.name());
        }
    }

    void set_library(int number) {
        symbol_.library = number;
        current_ = REBASE;
    }

    void bind(std::uint64_t count, std::uint64_t skip) {
        for (std::uint64_t i = 0; i < count; ++i) {
            if (current_ == REBASE) {
                current_ = result_.references.size();
                result_.references.push_back(reference());
            }
            add_fixup(image_, result_, {.address = place_.address(), .reference = current_, .value = addend_});
            place_.move(POINTER + skip);
        }
    }

    [[nodiscard]] Reference reference() const {
        if (symbol_.name.empty()) {
            throw Error("a fixup of " + std::string(opcodes_.name()) + " has no symbol");
        }
        Reference wanted = symbol_;
        if (kind_ == Kind::weak) {
            wanted.library = format::BIND_SPECIAL_DYLIB_WEAK_LOOKUP;
            wanted.keeps_own = true;
        }
        return wanted;
    }

    const Image& image_;
    Bytes opcodes_;
    Cursor cursor_;
    Kind kind_;
    Place place_;
    Fixups& result_;
    Reference symbol_;
    std::size_t current_ = REBASE;  // symbol_ among the references, once it has been bound
    std::uint64_t addend_ = 0;
};

}  // namespace

void read_opcodes(const Image& image, Fixups& result) {
    read_rebases(image, result);
    Binder(image, image.binds, Kind::strong, result).run();
    Binder(image, image.lazy_binds, Kind::lazy, result).run();
    Binder(image, image.weak_binds, Kind::weak, result).run();
}

}  // namespace macho_loader
