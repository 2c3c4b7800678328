// What the decoder remembers of a shape gives each instruction of it exactly what the decoding library gives: asked for every
// shape of every opcode map, with operands by chance, and for bytes by chance.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "inspect/code/decoder.hpp"
#include "inspect/code/full_decoder.hpp"

namespace nasm_build::inspect::code {
namespace {

constexpr std::uint64_t address = 0x40'1000;
constexpr std::size_t room = 40;

std::string text_of(const std::vector<std::byte>& bytes) {
    std::string text;
    for (std::size_t index = 0; index < 15; ++index) {
        text += fmt::format("{:02x} ", static_cast<unsigned>(bytes[index]));
    }
    return text;
}

class Shapes : public ::testing::Test {
protected:
    std::byte any() { return static_cast<std::byte>(random_()); }
    std::size_t below(std::size_t limit) { return random_() % limit; }
    unsigned number_below(unsigned limit) { return static_cast<unsigned>(below(limit)); }

    std::vector<std::byte> with_tail(const std::vector<unsigned>& start) {
        std::vector<std::byte> bytes;
        for (const unsigned byte : start) {
            bytes.push_back(static_cast<std::byte>(byte));
        }
        while (bytes.size() < room) {
            bytes.push_back(any());
        }
        return bytes;
    }

    // Asked twice: the second answer comes from what the first one taught, where that is kept.
    void expect_the_same(const std::vector<std::byte>& bytes) {
        Instruction expected;
        Encoding encoding;
        const bool decodes = full_.decode(bytes, address, expected, encoding);
        for (int turn = 0; turn < 2; ++turn) {
            Instruction found;
            ASSERT_EQ(decoder_.decode(bytes, address, found), decodes) << text_of(bytes);
            if (decodes) {
                ++compared_;
                ASSERT_EQ(found, expected) << text_of(bytes);
            }
        }
    }

    std::uint64_t compared_ = 0;

private:
    std::mt19937 random_{20261127};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same in every run
    Decoder decoder_;
    FullDecoder full_;
};

TEST_F(Shapes, EveryOpcodeAsTheLibraryHasIt) {
    const std::array<std::vector<unsigned>, 9> prefixes = {
        {{}, {0x66}, {0xF3}, {0xF2}, {0x3E}, {0x66, 0x66, 0x2E}, {0x66, 0xF2}, {0xF0}, {0x67}}};
    const std::array<std::vector<unsigned>, 5> rex = {{{}, {0x40}, {0x48}, {0x44}, {0x4D}}};
    const std::array<std::vector<unsigned>, 4> maps = {{{}, {0x0F}, {0x0F, 0x38}, {0x0F, 0x3A}}};
    for (const auto& prefix : prefixes) {
        for (const auto& extension : rex) {
            for (const auto& map : maps) {
                for (unsigned opcode = 0; opcode < 256; ++opcode) {
                    for (int operands = 0; operands < 24; ++operands) {
                        std::vector<unsigned> start = prefix;
                        start.insert(start.end(), extension.begin(), extension.end());
                        start.insert(start.end(), map.begin(), map.end());
                        start.push_back(opcode);
                        ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail(start)));
                    }
                }
            }
        }
    }
    EXPECT_GT(compared_, 500'000U);
}

TEST_F(Shapes, EveryOpcodeWithVex) {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        for (unsigned second = 0; second < 256; ++second) {
            ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail({0xC5, second, opcode})));
        }
        for (unsigned map = 0; map < 5; ++map) {
            for (unsigned last = 0; last < 256; ++last) {
                const unsigned inverted = static_cast<unsigned>(below(8)) << 5U;
                ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail({0xC4, inverted | map, last, opcode})));
                ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail({0xC4, 0xE0U | map, last | 0x78U, opcode})));
            }
        }
    }
    EXPECT_GT(compared_, 80'000U);
}

// Each that decodes is followed by others of its shape: other registers, another mask, another address.
TEST_F(Shapes, EveryOpcodeWithEvex) {
    for (unsigned map = 1; map < 7; ++map) {
        for (unsigned opcode = 0; opcode < 256; ++opcode) {
            for (int operands = 0; operands < 300; ++operands) {
                const unsigned first = (number_below(16) << 4U) | map;
                const unsigned second = number_below(256) | (number_below(2) == 0 ? 0x7CU : 4U);
                const unsigned third = (number_below(256) & (number_below(2) == 0 ? 0x78U : 0xFFU)) | 8U;
                const std::uint64_t before = compared_;
                ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail({0x62, first, second, third, opcode})));
                for (int variant = 0; compared_ != before && variant < 8; ++variant) {
                    const unsigned base_and_index = number_below(4) << 5U;
                    const bool has_third = (second & 0x78U) != 0x78U;
                    const unsigned source = has_third ? number_below(15) << 3U : 0x78U;
                    const unsigned mask = (third & 7U) != 0 ? 1 + number_below(7) : 0;
                    ASSERT_NO_FATAL_FAILURE(
                        expect_the_same(with_tail({0x62, (first & 0x9FU) | base_and_index, (second & 0x87U) | source,
                                                   (third & 0xF8U) | mask, opcode})));
                }
            }
        }
    }
    EXPECT_GT(compared_, 80'000U);
}

TEST_F(Shapes, BytesByChance) {
    for (int count = 0; count < 200'000; ++count) {
        ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail({})));
    }
    EXPECT_GT(compared_, 200'000U);
}

TEST_F(Shapes, ManyPrefixes) {
    constexpr std::array<unsigned, 13> before = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66,
                                                 0x67, 0xF0, 0xF2, 0xF3, 0x48, 0x41};
    for (int count = 0; count < 200'000; ++count) {
        std::vector<unsigned> start;
        for (std::size_t left = below(16); left > 0; --left) {
            start.push_back(before.at(below(before.size())));
        }
        ASSERT_NO_FATAL_FAILURE(expect_the_same(with_tail(start)));
    }
    EXPECT_GT(compared_, 50'000U);
}

// At the end of a section there are fewer bytes than an instruction may have.
TEST_F(Shapes, CutShort) {
    for (int count = 0; count < 100'000; ++count) {
        std::vector<std::byte> bytes = with_tail({});
        bytes.resize(1 + below(20));
        Instruction expected;
        Instruction found;
        Encoding encoding;
        const bool decodes = FullDecoder().decode(bytes, address, expected, encoding);
        ASSERT_EQ(Decoder().decode(bytes, address, found), decodes);
        if (decodes) {
            ASSERT_EQ(found, expected);
        }
    }
}

}  // namespace
}  // namespace nasm_build::inspect::code
