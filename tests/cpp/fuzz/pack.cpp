// Writes ZIP's three kinds of record, after PKWARE's APPNOTE.
#include "pack.hpp"

#include <cstdint>

namespace nasm_build::fuzz {

namespace {

void put(std::vector<std::byte>& out, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
}

void put_text(std::vector<std::byte>& out, const std::string& text) {
    for (const char c : text) {
        out.push_back(static_cast<std::byte>(c));
    }
}

std::uint32_t crc_of(std::span<const std::byte> bytes) {
    static const std::vector<std::uint32_t> table = [] {
        std::vector<std::uint32_t> made;
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1U) : value >> 1U;
            }
            made.push_back(value);
        }
        return made;
    }();
    std::uint32_t crc = UINT32_MAX;
    for (const std::byte byte : bytes) {
        crc = table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU] ^ (crc >> 8U);
    }
    return ~crc;
}

/// What an entry's own header and the directory both say: from the version that is needed to the length of extra fields.
void put_facts(std::vector<std::byte>& out, const Member& member, std::uint32_t crc) {
    put(out, 20, 2);
    put(out, 0, 2);  // flags
    put(out, 0, 2);  // stored
    put(out, 0x50210000, 4);  // 2020-01-01
    put(out, crc, 4);
    put(out, member.bytes.size(), 4);
    put(out, member.bytes.size(), 4);
    put(out, member.name.size(), 2);
    put(out, 0, 2);
}

}  // namespace

std::vector<std::byte> pack(std::span<const Member> members) {
    std::vector<std::byte> out;
    std::vector<std::byte> directory;
    for (const Member& member : members) {
        const std::uint32_t crc = crc_of(member.bytes);
        put(directory, 0x02014B50, 4);
        put(directory, 20, 2);
        put_facts(directory, member, crc);
        put(directory, 0, 8);  // comment, disk, attributes
        put(directory, 0, 2);
        put(directory, out.size(), 4);
        put_text(directory, member.name);
        put(out, 0x04034B50, 4);
        put_facts(out, member, crc);
        put_text(out, member.name);
        out.insert(out.end(), member.bytes.begin(), member.bytes.end());
    }
    const std::size_t start = out.size();
    out.insert(out.end(), directory.begin(), directory.end());
    put(out, 0x06054B50, 4);
    put(out, 0, 4);
    put(out, members.size(), 2);
    put(out, members.size(), 2);
    put(out, directory.size(), 4);
    put(out, start, 4);
    put(out, 0, 2);
    return out;
}

}  // namespace nasm_build::fuzz
