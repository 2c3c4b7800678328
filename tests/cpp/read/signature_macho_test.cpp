// Code signatures: one that LLVM's linker made, then changed in the code, in its own bytes, and to the other kinds of hashes.
#include <functional>

#include "base/byte_view.hpp"
#include "inspect/read/digest.hpp"
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

std::uint32_t big_at(const Bytes& bytes, std::size_t offset) {
    return swap_bytes(number_at<std::uint32_t>(bytes, offset));
}

void set_big(Bytes& bytes, std::size_t offset, std::uint32_t value) {
    set_number<std::uint32_t>(bytes, offset, swap_bytes(value));
}

/// Where LC_CODE_SIGNATURE lies among the load commands.
std::size_t command_of(const Bytes& bytes) {
    const auto commands = number_at<std::uint32_t>(bytes, 16);
    std::size_t at = 32;
    for (std::uint32_t i = 0; i < commands; ++i, at += number_at<std::uint32_t>(bytes, at + 4)) {
        if (number_at<std::uint32_t>(bytes, at) == 0x1D) {
            return at;
        }
    }
    ADD_FAILURE() << "no LC_CODE_SIGNATURE";
    return 0;
}

struct Signed {
    Bytes bytes = sample("arm64_macho.so");
    std::size_t blob = number_at<std::uint32_t>(bytes, command_of(bytes) + 8);
    std::size_t directory = blob + big_at(bytes, blob + 16);
    std::size_t hashes = directory + big_at(bytes, directory + 16);
    std::size_t slots = big_at(bytes, directory + 28);
    std::size_t limit = big_at(bytes, directory + 32);

    [[nodiscard]] CodeSignature read() const { return read_images(bytes).at(0).macho.signature; }
    [[nodiscard]] std::string damage() const {
        const CodeSignature found = read();
        EXPECT_EQ(found.state, SignatureState::damaged);
        return found.damage;
    }
    [[nodiscard]] std::span<const std::byte> page(std::size_t index) const {
        constexpr std::size_t size = 4096;
        return std::span(bytes).subspan(index * size, std::min(size, limit - index * size));
    }
    /// Writes hashes of 20 bytes in the place of those of 32.
    void hash_again(std::uint8_t kind,
                    const std::function<std::array<std::uint8_t, 20>(std::span<const std::byte>)>& hash) {
        set_number<std::uint8_t>(bytes, directory + 36, 20);
        set_number<std::uint8_t>(bytes, directory + 37, kind);
        for (std::size_t i = 0; i < slots; ++i) {
            const auto value = hash(page(i));
            std::memcpy(bytes.data() + hashes + i * value.size(), value.data(), value.size());
        }
    }
};

}  // namespace

TEST(Signature, OfLlvmsLinkerFitsTheFile) {
    const Signed file;
    const CodeSignature found = file.read();
    EXPECT_EQ(found.state, SignatureState::read);
    EXPECT_EQ(found.damage, "");
    EXPECT_EQ(found.unread_hash, "");
    EXPECT_EQ(found.pages, file.slots);
    EXPECT_GE(found.pages, 4U);
    EXPECT_EQ(found.stale_pages, 0U);
}

TEST(Signature, MayBeMissing) {
    EXPECT_EQ(read_sample("arm64_unsigned.so").macho.signature.state, SignatureState::absent);
    EXPECT_EQ(read_sample("module_mac.so").macho.signature.state, SignatureState::absent);
    Signed file;
    set_number<std::uint32_t>(file.bytes, command_of(file.bytes) + 12, 0);
    EXPECT_EQ(file.read().state, SignatureState::absent);
}

TEST(Signature, AChangedByteMakesItsPageStale) {
    Signed file;
    file.bytes[2 * 4096 + 5] ^= std::byte{1};
    file.bytes[file.limit - 1] ^= std::byte{1};
    const CodeSignature found = file.read();
    EXPECT_EQ(found.state, SignatureState::read);
    EXPECT_EQ(found.stale_pages, 2U);
    EXPECT_EQ(found.first_stale, 2U * 4096);
    Signed hash;
    hash.bytes[hash.hashes + 31] ^= std::byte{1};
    EXPECT_EQ(hash.read().stale_pages, 1U);
    EXPECT_EQ(hash.read().first_stale, 0U);
}

TEST(Signature, OtherHashes) {
    Signed file;
    file.hash_again(1, sha1);
    EXPECT_EQ(file.read().stale_pages, 0U);
    file.bytes[4096] ^= std::byte{1};
    EXPECT_EQ(file.read().stale_pages, 1U);
    Signed cut;
    cut.hash_again(3, [](std::span<const std::byte> page) {
        const auto whole = sha256(page);
        std::array<std::uint8_t, 20> first{};
        std::copy_n(whole.begin(), first.size(), first.begin());
        return first;
    });
    EXPECT_EQ(cut.read().stale_pages, 0U);
    cut.bytes[cut.hashes + 19] ^= std::byte{1};
    EXPECT_EQ(cut.read().stale_pages, 1U);
}

TEST(Signature, AHashThatIsNotComputedIsNamed) {
    Signed file;
    set_number<std::uint8_t>(file.bytes, file.directory + 36, 48);
    set_number<std::uint8_t>(file.bytes, file.directory + 37, 4);
    set_big(file.bytes, file.directory + 28, 2);
    set_big(file.bytes, file.directory + 32, 8192);
    EXPECT_EQ(file.read().unread_hash, "SHA-384");
    EXPECT_EQ(file.read().stale_pages, 0U);
}

TEST(Signature, OnePageForAll) {
    Signed file;
    set_number<std::uint8_t>(file.bytes, file.directory + 39, 0);
    EXPECT_EQ(file.read().pages, 1U);
    EXPECT_EQ(file.read().stale_pages, 1U) << "the first hash is that of 4096 bytes";
}

TEST(Signature, TheStrongestDirectoryCounts) {
    // A new list of blobs behind the file: a directory with SHA-1's hashes first, then the linker's own.
    Signed file;
    Signed weak;
    weak.hash_again(1, sha1);
    const std::uint32_t length = big_at(file.bytes, file.directory + 4);
    const auto part = [&](const Signed& from) { return std::span(from.bytes).subspan(from.directory, length); };
    const Bytes weak_directory(part(weak).begin(), part(weak).end());
    const Bytes strong_directory(part(file).begin(), part(file).end());
    const std::size_t blob = file.bytes.size();
    constexpr std::uint32_t header = 28;
    file.bytes.resize(blob + header);
    set_big(file.bytes, blob, 0xFADE0CC0);
    set_big(file.bytes, blob + 4, header + 2 * length);
    set_big(file.bytes, blob + 8, 2);
    set_big(file.bytes, blob + 16, header);
    set_big(file.bytes, blob + 20, 0x1000);
    set_big(file.bytes, blob + 24, header + length);
    file.bytes.insert(file.bytes.end(), weak_directory.begin(), weak_directory.end());
    file.bytes.insert(file.bytes.end(), strong_directory.begin(), strong_directory.end());
    const std::size_t command = command_of(file.bytes);
    set_number<std::uint32_t>(file.bytes, command + 8, static_cast<std::uint32_t>(blob));
    set_number<std::uint32_t>(file.bytes, command + 12, header + 2 * length);
    // The load command that just changed lies in the first page; its SHA-1 is stale too, and only one set is counted.
    EXPECT_EQ(file.read().stale_pages, 1U);
    const std::size_t hashes = blob + header + length + (file.hashes - file.directory);
    file.bytes[hashes + std::size_t{2} * 32] ^= std::byte{1};
    EXPECT_EQ(file.read().stale_pages, 2U) << "the hash that was changed is SHA-256's";
}

TEST(Signature, DamageIsAFactOfTheFile) {
    Signed file;
    set_big(file.bytes, file.blob, 0);
    EXPECT_EQ(file.damage(), "it begins with 0x00000000, not with the number of a list of blobs");
    file = {};
    set_big(file.bytes, file.blob + 8, 0);
    EXPECT_EQ(file.damage(), "it has no code directory");
    file = {};
    set_big(file.bytes, file.blob + 8, 1000);
    EXPECT_EQ(file.damage(), "it is said to have 1000 blobs");
    file = {};
    set_big(file.bytes, file.blob + 16, 0xFFFFFFF0);
    EXPECT_EQ(file.damage(), "it reaches past its end");
    file = {};
    set_big(file.bytes, file.directory, 0xFADE0C01);
    EXPECT_EQ(file.damage(), "its code directory is cut, or is none");
    file = {};
    set_big(file.bytes, file.directory + 4, 40);
    EXPECT_EQ(file.damage(), "its code directory is cut");
    file = {};
    set_big(file.bytes, file.directory + 28, 0x7FFFFFFF);
    EXPECT_EQ(file.damage(), "the hashes of its code directory reach past its end");
    file = {};
    set_big(file.bytes, file.directory + 28, 1);
    EXPECT_EQ(file.damage(), "it has hashes of 1 pages, and signs " + std::to_string(file.slots));
    file = {};
    set_big(file.bytes, file.directory + 32, 0x7FFFFFFF);
    EXPECT_EQ(file.damage(), "it signs 2147483647 bytes, but the slice has " + std::to_string(file.bytes.size()));
    file = {};
    set_number<std::uint8_t>(file.bytes, file.directory + 37, 9);
    EXPECT_EQ(file.damage(), "its code directory has hashes of the unknown kind 9");
    file = {};
    set_number<std::uint8_t>(file.bytes, file.directory + 36, 20);
    EXPECT_EQ(file.damage(), "its code directory has hashes of 20 bytes by SHA-256");
    file = {};
    set_number<std::uint8_t>(file.bytes, file.directory + 39, 63);
    EXPECT_EQ(file.damage(), "its code directory has pages of 2^63 bytes");
}

TEST(Signature, TwoOfThemAreRefused) {
    Signed file;
    const auto commands = number_at<std::uint32_t>(file.bytes, 16);
    std::size_t at = 32;
    for (std::uint32_t i = 0; i < commands; ++i, at += number_at<std::uint32_t>(file.bytes, at + 4)) {
        if (number_at<std::uint32_t>(file.bytes, at) == 0x26) {  // LC_FUNCTION_STARTS has the same form
            set_number<std::uint32_t>(file.bytes, at, 0x1D);
            set_number<std::uint32_t>(file.bytes, at + 12, 8);
        }
    }
    EXPECT_EQ(refusal(file.bytes), "the file is damaged: it has a code signature twice");
}

}  // namespace nasm_build::inspect::test
