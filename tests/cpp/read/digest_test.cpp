// SHA-256 and SHA-1: the examples of FIPS 180-4's authors, and every length around a block against coreutils.
#include "inspect/read/digest.hpp"

#include <fmt/format.h>

#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

template <typename Hash>
std::string hex(const Hash& hash) {
    std::string text;
    for (const std::uint8_t byte : hash) {
        text += fmt::format("{:02x}", byte);
    }
    return text;
}

}  // namespace

TEST(Digest, Examples) {
    EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(hex(sha1(bytes_of("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
    const std::string million(1'000'000, 'a');
    EXPECT_EQ(hex(sha256(bytes_of(million))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    EXPECT_EQ(hex(sha1(bytes_of(million))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Digest, AgreesWithCoreutilsOnEveryLengthAroundABlock) {
    constexpr std::array<std::size_t, 14> lengths = {1, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129};
    for (const std::size_t length : lengths) {
        std::string text;
        for (std::size_t i = 0; i < length; ++i) {
            text += static_cast<char>('a' + (i * 7) % 26);
        }
        const std::string command = "printf %s " + text + " | ";
        EXPECT_EQ(hex(sha256(bytes_of(text))), output_of(command + "sha256sum").substr(0, 64)) << length;
        EXPECT_EQ(hex(sha1(bytes_of(text))), output_of(command + "sha1sum").substr(0, 40)) << length;
    }
}

}  // namespace nasm_build::inspect::test
