#include "code_damage.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "damage.hpp"
#include "inspect/code/code_map.hpp"
#include "inspect/code/decoder.hpp"
#include "inspect/read/read.hpp"
#include "streams.hpp"

namespace nasm_build::fuzz {

namespace {

using Bytes = std::vector<std::byte>;

// Of Mach-O with its segment's name before it: `__TEXT,__unwind_info`.
bool is_unwind_section(std::string_view name) {
    constexpr auto names = std::to_array<std::string_view>(
        {".eh_frame", ".eh_frame_hdr", ".pdata", ".xdata", "__unwind_info", "__eh_frame", "__compact_unwind"});
    return std::find(names.begin(), names.end(), name.substr(name.find(',') + 1)) != names.end();
}

// Adds the bytes in the file of what will lie at an address, as words and as bytes.
void add_memory(std::span<const std::byte> file, const inspect::Image& image, std::uint64_t address, std::uint64_t size,
                LayoutBuilder& builder) {
    for (const inspect::Content& piece : image.contents.pieces) {
        if (address >= piece.address && address - piece.address < piece.bytes.size()) {
            const auto inside = static_cast<std::size_t>(address - piece.address);
            const std::size_t offset = static_cast<std::size_t>(piece.bytes.data() - file.data()) + inside;
            const auto length = std::min<std::size_t>(piece.bytes.size() - inside, size);
            builder.add_words("unwind", offset, length);
            builder.add_bytes("unwind bytes", offset, length);
        }
    }
}

// PE has its sections in the memory map; its unwind data, one behind the other, lies in no section of its own.
void add_unwind(std::span<const std::byte> file, const inspect::Image& image, LayoutBuilder& builder) {
    const auto add_all = [&](const auto& parts) {
        for (const auto& part : parts) {
            if (is_unwind_section(part.name)) {
                add_memory(file, image, part.address, part.size, builder);
            }
        }
    };
    add_all(image.sections);
    add_all(image.memory);
    std::size_t functions = 0;
    for (const Table& table : layout_of(file)) {
        functions = table.name == "function table" ? table.count : functions;
        if (table.name == "unwind data") {
            builder.add_bytes("unwind bytes", table.offset,
                              table.entry_size * table.count * std::max<std::size_t>(1, functions));
        }
    }
}

// An instruction of a table of code.
struct Place {
    std::size_t at = 0;
    std::size_t length = 0;
};

// The instruction at or behind a place by chance. Decoding begins a little before it, and is in step soon.
std::optional<Place> some_instruction(const Bytes& bytes, const Table& code, Random& random) {
    static const inspect::code::Decoder decoder;
    constexpr std::size_t before = 48;
    const std::size_t end = code.offset + code.size();
    const std::size_t wanted = code.offset + random.below(code.size());
    std::size_t at = wanted - std::min(before, wanted - code.offset);
    while (at < end) {
        inspect::code::Instruction instruction;
        const bool is_one = decoder.decode(std::span(bytes).subspan(at, end - at), at, instruction);
        const std::size_t length = is_one && instruction.length != 0 ? instruction.length : 1;
        if (at >= wanted && at + length <= end) {
            return Place{at, length};
        }
        at += length;
    }
    return std::nullopt;
}

void overwrite(Bytes& bytes, std::size_t at, std::size_t end, std::span<const std::byte> with) {
    const std::size_t size = std::min(with.size(), end - at);
    std::copy_n(with.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

// Leads a jump elsewhere: its last byte, or its last four, are the distance.
void redirect(Bytes& bytes, const Place& place, Random& random) {
    const std::size_t width = place.length >= 5 && random.below(2) == 0 ? 4 : 1;
    const auto distance = static_cast<std::uint64_t>(static_cast<std::int64_t>(random.below(256)) - 128);
    for (std::size_t i = 0; i < width && i < place.length; ++i) {
        bytes[place.at + place.length - width + i] = static_cast<std::byte>(distance >> (8 * i) & 0xFFU);
    }
}

void change_an_instruction(Bytes& bytes, const Table& code, Random& random) {
    const std::size_t end = code.offset + code.size();
    const std::optional<Place> place = some_instruction(bytes, code, random);
    if (!place) {
        return;
    }
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(place->at);
    const auto behind = at + static_cast<std::ptrdiff_t>(place->length);
    const auto last = bytes.begin() + static_cast<std::ptrdiff_t>(end);
    switch (random.below(6)) {
        case 0:  // take it out
            std::fill(std::move(behind, last, at), last, std::byte{0x90});
            break;
        case 1: {  // put another one before it
            const Bytes more = plausible_instruction(random);
            if (more.size() < end - place->at) {
                std::move_backward(at, last - static_cast<std::ptrdiff_t>(more.size()), last);
                overwrite(bytes, place->at, end, more);
            }
            break;
        }
        case 2:  // exchange it with the bytes of as many behind it
            if (last - behind >= behind - at) {
                std::swap_ranges(at, behind, behind);
            }
            break;
        case 3: {  // double one from elsewhere over it
            if (const std::optional<Place> other = some_instruction(bytes, code, random)) {
                const Bytes copy(bytes.begin() + static_cast<std::ptrdiff_t>(other->at),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(other->at + other->length));
                overwrite(bytes, place->at, end, copy);
            }
            break;
        }
        case 4:
            redirect(bytes, *place, random);
            break;
        default:
            overwrite(bytes, place->at, end, plausible_instruction(random));
            break;
    }
}

std::vector<const Table*> tables_of_code(const Layout& layout, std::size_t size) {
    std::vector<const Table*> found;
    for (const Table& table : layout) {
        if (table.name == "code" && table.offset + table.size() <= size) {
            found.push_back(&table);
        }
    }
    return found;
}

}  // namespace

Layout layout_of_code(std::span<const std::byte> module) {
    LayoutBuilder builder(module);
    try {
        for (const inspect::Image& image : inspect::read_images(module)) {
            if (image.machine != inspect::Machine::x86_64 || !image.slice.empty()) {
                continue;
            }
            for (const inspect::code::CodeSection& section : inspect::code::code_map(module, image).sections) {
                const std::span<const std::byte> bytes = section.bytes.bytes();
                builder.add_bytes("code", static_cast<std::size_t>(bytes.data() - module.data()), bytes.size());
            }
            add_unwind(module, image, builder);
        }
    } catch (const Error&) {  // no module: it has no code to damage
    }
    return builder.take();
}

std::vector<std::byte> damage_code(std::span<const std::byte> module, const Layout& layout, Random& random) {
    Bytes bytes(module.begin(), module.end());
    const std::vector<const Table*> code = tables_of_code(layout, bytes.size());
    if (code.empty() || random.below(3) == 0) {
        return damage(module, layout.empty() ? layout_of(module) : layout, random, false);
    }
    const std::uint64_t rounds = 1 + random.below(random.below(2) == 0 ? 2 : 12);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        change_an_instruction(bytes, *code[random.below(code.size())], random);
    }
    return random.below(4) == 0 ? damage(bytes, layout, random, false) : bytes;
}

std::vector<std::byte> with_stream(std::span<const std::byte> module, const Layout& layout, Random& random) {
    Bytes bytes(module.begin(), module.end());
    for (const Table* const table : tables_of_code(layout, bytes.size())) {
        const std::size_t first = random.below(3) == 0 ? random.below(table->size()) : 0;
        fill_with_stream(std::span(bytes).subspan(table->offset + first, table->size() - first), random);
    }
    return bytes;
}

}  // namespace nasm_build::fuzz
