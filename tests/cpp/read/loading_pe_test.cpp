// What PE headers tell the loader: flags, relocations, the load configuration of ARM64EC and ARM64X.
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

std::size_t file_header_of(const Bytes& bytes) {
    return number_at<std::uint32_t>(bytes, 60) + 4;
}

std::size_t directory_of(const Bytes& bytes, std::size_t number) {
    return file_header_of(bytes) + 20 + 112 + number * 8;
}

Image read_one(const Bytes& bytes) {
    return read_images(bytes).at(0);
}

constexpr std::size_t relocations = 5, load_configuration = 10;

}  // namespace

TEST(PeLoadingFacts, OfLldsDefaults) {
    for (const char* const name : {"module_win.pyd", "arm64_pe.pyd"}) {
        const PeLoading pe = read_sample(name).pe;
        EXPECT_EQ(pe.hybrid, Hybrid::none) << name;
        EXPECT_FALSE(pe.relocations_stripped) << name;
        EXPECT_TRUE(pe.has_relocations) << name;
        EXPECT_EQ(pe.own_addresses, 0U) << name << ": not counted where there are relocations";
        EXPECT_TRUE(pe.dynamic_base && pe.high_entropy && pe.no_execute) << name;
        EXPECT_FALSE(pe.control_flow_guard) << name;
    }
    const PeLoading narrow = read_sample("module_win32.pyd").pe;
    EXPECT_TRUE(narrow.dynamic_base && narrow.no_execute);
    EXPECT_FALSE(narrow.high_entropy);
}

TEST(PeLoadingFacts, StrippedRelocations) {
    const PeLoading pe = read_sample("fixed.pyd").pe;
    EXPECT_TRUE(pe.relocations_stripped);
    EXPECT_FALSE(pe.has_relocations);
    EXPECT_FALSE(pe.dynamic_base);
    EXPECT_EQ(pe.own_addresses, 1U) << "the load configuration's pointer";
}

TEST(PeLoadingFacts, AddressesAreCountedWhereTheTableIsMissing) {
    Bytes bytes = sample("arm64_pe.pyd");
    set_number<std::uint64_t>(bytes, directory_of(bytes, relocations), 0);
    const PeLoading pe = read_one(bytes).pe;
    EXPECT_FALSE(pe.relocations_stripped);
    EXPECT_FALSE(pe.has_relocations);
    EXPECT_EQ(pe.own_addresses, 1U) << "`DATA: .quad NAME`";
    Bytes narrow = sample("module_win32.pyd");
    set_number<std::uint64_t>(narrow, file_header_of(narrow) + 20 + 96 + relocations * 8, 0);
    EXPECT_EQ(read_one(narrow).pe.own_addresses, 0U) << "32 bits may look like an address by chance";
}

TEST(PeLoadingFacts, Flags) {
    const PeLoading pe = read_sample("arm64ec.pyd").pe;
    EXPECT_TRUE(pe.control_flow_guard);
    EXPECT_FALSE(pe.no_execute);
}

TEST(PeLoadingFacts, CodeOfTwoMachines) {
    const Image ec = read_sample("arm64ec.pyd");
    EXPECT_EQ(ec.machine, Machine::x86_64);
    EXPECT_EQ(ec.pe.hybrid, Hybrid::arm64ec);
    const Image x = read_sample("arm64x.pyd");
    EXPECT_EQ(x.machine, Machine::arm64);
    EXPECT_EQ(x.pe.hybrid, Hybrid::arm64x);
    // A load configuration of before there was such a pointer.
    Bytes bytes = sample("arm64ec.pyd");
    const Bytes size = {std::byte{208}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}};
    const auto at = std::search(bytes.begin() + 0x400, bytes.end(), size.begin(), size.end()) - bytes.begin();
    set_number<std::uint32_t>(bytes, static_cast<std::size_t>(at), 148);
    EXPECT_EQ(read_one(bytes).pe.hybrid, Hybrid::none);
    set_number<std::uint32_t>(bytes, static_cast<std::size_t>(at), 0x7FFFFFF0);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the load configuration does not lie in a section");
}

TEST(PeLoadingFacts, ALyingLoadConfigurationIsRefused) {
    Bytes bytes = sample("arm64ec.pyd");
    set_number<std::uint32_t>(bytes, directory_of(bytes, load_configuration), 0x7FFFF000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the load configuration does not lie in a section");
}

TEST(PeLoadingFacts, MachinesThatOnlyObjectsHave) {
    Bytes bytes = sample("module_win.pyd");
    set_number<std::uint16_t>(bytes, file_header_of(bytes), 0xA64E);
    EXPECT_EQ(refusal(bytes),
              "the file says machine number 0xa64e, which objects of ARM64EC have and no linked file does");
    set_number<std::uint16_t>(bytes, file_header_of(bytes), 0xA641);
    EXPECT_EQ(refusal(bytes),
              "the file says machine number 0xa641, which objects of ARM64X have and no linked file does");
}

}  // namespace nasm_build::inspect::test
