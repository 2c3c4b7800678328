// Files that are no whole modules: each is refused with one line, and damage is never turned into missing facts.
#include "base/byte_view.hpp"
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

std::size_t pe_header(const Bytes& bytes) {
    return number_at<std::uint32_t>(bytes, 60);
}

std::size_t pe_directory(const Bytes& bytes, std::size_t index) {
    return pe_header(bytes) + 24 + 112 + index * 8;
}

std::size_t pe_section(const Bytes& bytes, std::size_t index) {
    return pe_header(bytes) + 24 + number_at<std::uint16_t>(bytes, pe_header(bytes) + 20) + index * 40;
}

/// The file offset of an address in a section of a PE sample.
std::size_t pe_offset(const Bytes& bytes, std::uint32_t address) {
    for (std::size_t i = 0; i < number_at<std::uint16_t>(bytes, pe_header(bytes) + 6); ++i) {
        const std::size_t section = pe_section(bytes, i);
        const auto start = number_at<std::uint32_t>(bytes, section + 12);
        if (address >= start && address - start < number_at<std::uint32_t>(bytes, section + 16)) {
            return number_at<std::uint32_t>(bytes, section + 20) + address - start;
        }
    }
    ADD_FAILURE() << "no section holds " << address;
    return 0;
}

std::size_t macho_command(const Bytes& bytes, std::uint32_t type) {
    const std::size_t count = number_at<std::uint32_t>(bytes, 16);
    for (std::size_t i = 0, at = 32; i < count; ++i, at += number_at<std::uint32_t>(bytes, at + 4)) {
        if (number_at<std::uint32_t>(bytes, at) == type) {
            return at;
        }
    }
    ADD_FAILURE() << "no load command " << type;
    return 0;
}

Bytes cut(std::string_view name, std::size_t size) {
    Bytes bytes = sample(name);
    bytes.resize(size);
    return bytes;
}

std::string size_of(std::string_view name) {
    return std::to_string(sample(name).size());
}

}  // namespace

TEST(Foreign, FilesAreToldInWords) {
    EXPECT_EQ(refusal({}), "the file is empty");
    EXPECT_EQ(refusal(bytes_of("global PyInit_x\n")), "the file is text, not a module");
    EXPECT_EQ(refusal(bytes_of("#!/bin/sh\n")), "the file is a script, not a module");
    EXPECT_EQ(refusal(bytes_of("!<arch>\nrest")), "the file is an ar archive (a static library), not a module");
    EXPECT_EQ(refusal(bytes_of("BC\xC0\xDE rest")),
              "the file is LLVM bitcode (from -flto or -emit-llvm), not a module");
    EXPECT_EQ(refusal(sample("deflated.whl")), "the file is a ZIP archive, not a module");
    EXPECT_EQ(refusal(bytes_of(std::string_view("\xCA\xFE\xBA\xBE\0\0\0\x41", 8))),
              "the file is a Java class file, not a module");
    EXPECT_EQ(refusal(sample("module_win.obj")), "the file is a COFF object, not a module");
    EXPECT_EQ(refusal(bytes_of("\x01\x02\x03\x04\x05")), "the file is not a module: it is neither ELF, PE nor Mach-O");
}

TEST(Cut, FilesSayWhatIsMissing) {
    EXPECT_EQ(refusal(cut("module.so", 10)),
              "the file is cut or damaged: the ELF header ends at byte 20, but the file has 10 bytes");
    EXPECT_EQ(refusal(cut("module.so", 200)),
              "the file is cut or damaged: the table of program headers ends at byte 624, but the file has 200 bytes");
    const std::size_t half = sample("module.so").size() / 2;
    EXPECT_NE(refusal(cut("module.so", half)).find("but the file has " + std::to_string(half) + " bytes"),
              std::string::npos);
    EXPECT_EQ(refusal(cut("module_win.pyd", 2)),
              "the file is cut or damaged: the DOS header ends at byte 64, but the file has 2 bytes");
    EXPECT_EQ(refusal(cut("module_win.pyd", 1200)),
              "the file is cut or damaged: section .text ends at byte 1536, but the file has 1200 bytes");
    EXPECT_EQ(refusal(cut("module_mac.so", 20)),
              "the file is cut or damaged: the Mach-O header ends at byte 28, but the file has 20 bytes");
    EXPECT_EQ(refusal(cut("module_mac.so", 5000)),
              "the file is cut or damaged: segment __DATA ends at byte 8192, but the file has 5000 bytes");
    EXPECT_EQ(refusal(cut("fat.so", 6)),
              "the file is cut or damaged: the fat header ends at byte 8, but the file has 6 bytes");
}

TEST(Cut, NoLengthOfAModuleReadsAsAWholeOne) {
    for (const char* name : {"module.so", "module_win.pyd", "module_mac.so", "arm64_macho.so"}) {
        const Bytes whole = sample(name);
        for (std::size_t size = 0; size < whole.size(); size += whole.size() < 20'000 ? 61 : 131) {
            Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            EXPECT_NE(refusal(part), "no error at all") << name << " cut to " << size;
        }
    }
}

TEST(Damaged, ElfWithALyingSegmentSize) {
    Bytes bytes = sample("module.so");
    const auto headers = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, 32));
    set_number<std::uint64_t>(bytes, headers + 32, 0x7FFFFFFFFFFF);
    EXPECT_EQ(refusal(bytes), "the file is cut or damaged: a segment ends at byte 140737488355327, but the file has " +
                                  size_of("module.so") + " bytes");
    set_number<std::uint64_t>(bytes, headers + 32, UINT64_MAX);
    set_number<std::uint64_t>(bytes, headers + 8, 1);
    EXPECT_EQ(refusal(bytes), "the file is damaged: a segment is said to have 18446744073709551615 bytes");
}

TEST(Damaged, ElfWithALyingStringTable) {
    Bytes bytes = sample("module.so");
    set_number<std::uint64_t>(bytes, elf_dynamic_entry(bytes, 10) + 8, 20);  // DT_STRSZ
    EXPECT_EQ(refusal(bytes), "the file is damaged: its table of dynamic names has no end");
    bytes = sample("module.so");
    set_number<std::uint64_t>(bytes, elf_dynamic_entry(bytes, 5) + 8, 0);  // DT_STRTAB
    set_number<std::uint64_t>(bytes, elf_dynamic_entry(bytes, 10) + 8, 8);  // which ends where the header has a zero
    EXPECT_EQ(refusal(bytes), "the file is damaged: its table of dynamic names lies where the file's header is");
    bytes = sample("module.so");
    set_number<std::uint64_t>(bytes, elf_dynamic_entry(bytes, 5) + 8, 0x70000000);  // DT_STRTAB
    EXPECT_EQ(refusal(bytes), "the file is damaged: the table of dynamic names does not lie in a loaded segment");
}

TEST(Damaged, ElfWithALyingCountOfSymbols) {
    Bytes bytes = sample("module.so");
    const std::size_t section = elf_section(bytes, 11);
    const auto size = number_at<std::uint64_t>(bytes, section + 32);
    set_number<std::uint64_t>(bytes, section + 32, size - 24);
    EXPECT_EQ(refusal(bytes), "the file is damaged: its section headers have " + std::to_string(size / 24 - 1) +
                                  " dynamic symbols, its hash table " + std::to_string(size / 24));
    bytes = sample("module_sysv.so");
    const auto hash = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, elf_section(bytes, 5) + 24));
    set_number<std::uint32_t>(bytes, hash + 4, 0x40000000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the hash table does not lie in a loaded segment");
}

TEST(Damaged, ElfWithALyingRelocation) {
    Bytes bytes = sample("module.so");
    const auto table = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, elf_section(bytes, 4) + 24));
    set_number<std::uint64_t>(bytes, table, 0x123456789);
    EXPECT_EQ(refusal(bytes), "the file is damaged: a relocation's place 0x123456789 does not lie in a loaded segment");
    bytes = sample("module.so");
    set_number<std::uint32_t>(bytes, table + 12, 5000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: a relocation refers to dynamic symbol 5000 of " +
                                  std::to_string(number_at<std::uint64_t>(bytes, elf_section(bytes, 11) + 32) / 24));
}

TEST(Damaged, ElfOfMachinesThatAreNotRead) {
    Bytes bytes = sample("module.so");
    set_number<std::uint16_t>(bytes, 18, 9999);
    EXPECT_EQ(refusal(bytes), "the file is an ELF file for machine number 9999, which is not read");
    bytes = sample("module.so");
    set_number<std::uint8_t>(bytes, 5, 2);
    set_number<std::uint16_t>(bytes, 18, 0x1600);
    EXPECT_EQ(refusal(bytes), "the file is a big-endian ELF file for s390x, which is not read");
    bytes = sample("module.so");
    set_number<std::uint8_t>(bytes, 4, 1);
    EXPECT_EQ(refusal(bytes), "the file is a 32-bit ELF file for x86-64, which is not read");
}

TEST(Damaged, PeWithALyingSectionSize) {
    Bytes bytes = sample("module_win.pyd");
    set_number<std::uint32_t>(bytes, pe_section(bytes, 1) + 16, 0x40000000);
    EXPECT_EQ(refusal(bytes), "the file is cut or damaged: section .rdata ends at byte 1073743360, but the file has " +
                                  size_of("module_win.pyd") + " bytes");
    bytes = sample("module_win.pyd");
    set_number<std::uint32_t>(bytes, pe_section(bytes, 1) + 16, 0);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the table of imported libraries does not lie in a section")
        << "LIEF gives no imports for it, and no error";
}

TEST(Damaged, PeWithLyingImports) {
    Bytes bytes = sample("module_win.pyd");
    const std::size_t imports = pe_offset(bytes, number_at<std::uint32_t>(bytes, pe_directory(bytes, 1)));
    set_number<std::uint32_t>(bytes, imports + 12, 0x70000000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the name of an imported library does not lie in a section");
    bytes = sample("module_win.pyd");
    set_number<std::uint32_t>(bytes, imports, 0x70000000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the table of imports from python313.dll does not lie in a section");
    // A directory that is said to be empty: the loader goes by the descriptors, LIEF by the size.
    bytes = sample("module_win.pyd");
    set_number<std::uint32_t>(bytes, pe_directory(bytes, 1) + 4, 0);
    EXPECT_EQ(refusal(bytes), "the file is damaged: LIEF read 0 of 1 imported libraries");
}

TEST(Damaged, PeWhoseDelayedLibraryHasNoName) {
    Bytes bytes = sample("module_win.pyd");
    const std::size_t delayed = pe_offset(bytes, number_at<std::uint32_t>(bytes, pe_directory(bytes, 13)));
    const std::size_t name = pe_offset(bytes, number_at<std::uint32_t>(bytes, delayed + 4));
    set_number<std::uint8_t>(bytes, name, 0);
    EXPECT_EQ(refusal(bytes), "the file is damaged: LIEF read 0 of 1 delayed libraries");
}

TEST(Damaged, PeThatTheLoaderTakesAllTheSame) {
    Bytes bytes = sample("module_win.pyd");
    // The end of the delayed libraries is a row without a name, whatever else stands in it.
    const std::size_t delayed = pe_offset(bytes, number_at<std::uint32_t>(bytes, pe_directory(bytes, 13)));
    ASSERT_EQ(number_at<std::uint32_t>(bytes, delayed + 32 + 4), 0U);
    set_number<std::uint32_t>(bytes, delayed + 32, 1);
    set_number<std::uint32_t>(bytes, pe_directory(bytes, 13) + 4, 0xBC0);  // nor does its size matter
    // Nothing looks at the name in the export table.
    const std::size_t exports = pe_offset(bytes, number_at<std::uint32_t>(bytes, pe_directory(bytes, 0)));
    set_number<std::uint8_t>(bytes, pe_offset(bytes, number_at<std::uint32_t>(bytes, exports + 12)), 0);
    const Image image = read_images(bytes).at(0);
    const Image whole = read_sample("module_win.pyd");
    EXPECT_EQ(image.soname, "");
    EXPECT_EQ(names_of(image.libraries), names_of(whole.libraries));
    EXPECT_EQ(names_of(image.imports), names_of(whole.imports));
    EXPECT_EQ(names_of(image.exports), names_of(whole.exports));
}

TEST(Damaged, PeWithLyingExportsAndRelocations) {
    Bytes bytes = sample("module_win.pyd");
    const std::size_t exports = pe_offset(bytes, number_at<std::uint32_t>(bytes, pe_directory(bytes, 0)));
    set_number<std::uint32_t>(bytes, exports + 24, 60'000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the table of exported names does not lie in a section");
    bytes = sample("module_win.pyd");
    const std::size_t relocations = pe_offset(bytes, number_at<std::uint32_t>(bytes, pe_directory(bytes, 5)));
    const auto page = number_at<std::uint32_t>(bytes, relocations);
    set_number<std::uint32_t>(bytes, relocations + 4, 0);
    std::ostringstream expected;
    expected << "the file is damaged: a block of base relocations has 0 bytes for page 0x" << std::hex << page;
    EXPECT_EQ(refusal(bytes), expected.str());
}

TEST(Damaged, MachoWithLyingLoadCommands) {
    Bytes bytes = sample("module_mac.so");
    const auto count = number_at<std::uint32_t>(bytes, 16);
    set_number<std::uint32_t>(bytes, 32 + 4, 0);
    EXPECT_EQ(refusal(bytes),
              "the file is damaged: load command 1 of " + std::to_string(count) + " is said to have 0 bytes");
    bytes = sample("module_mac.so");
    set_number<std::uint32_t>(bytes, 16, 100'000);
    EXPECT_EQ(refusal(bytes),
              "the file is damaged: it is said to have 100000 load commands, and no more than 2000 are read");
    bytes = sample("module_mac.so");
    set_number<std::uint32_t>(bytes, macho_command(bytes, 0xC) + 8, 4000);
    EXPECT_EQ(refusal(bytes), "the file is damaged: the name in load command 0xc lies outside of it");
}

TEST(Damaged, MachoWithLyingSymbolsAndBinds) {
    Bytes bytes = sample("module_mac.so");
    const std::size_t symbols = macho_command(bytes, 0x2);
    set_number<std::uint32_t>(bytes, symbols + 12, 1'000'000);
    EXPECT_EQ(refusal(bytes).substr(0, 62), "the file is cut or damaged: the table of symbols ends at byte ");
    // DO_BIND_ULEB_TIMES_SKIPPING_ULEB with 2^63 repeats: LIEF's full parse has no end.
    bytes = sample("module_mac.so");
    const std::size_t binds = number_at<std::uint32_t>(bytes, macho_command(bytes, 0x80000022) + 16);
    const auto endless =
        bytes_of(std::string_view("\x11\x40_x\0\x71\x00\xC0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x00", 19));
    std::copy(endless.begin(), endless.end(), bytes.begin() + static_cast<std::ptrdiff_t>(binds));
    EXPECT_EQ(refusal(bytes), "the file is damaged: its list of binds does not hold together");
}

TEST(Damaged, FatFilesWithLyingSlices) {
    Bytes bytes = sample("fat.so");
    const auto big = [](std::uint32_t value) { return swap_bytes(value); };
    set_number<std::uint32_t>(bytes, 4, big(40));
    EXPECT_EQ(refusal(bytes), "the file is damaged: it is said to have 40 slices, and no more than 32 are read");
    bytes = sample("fat.so");
    set_number<std::uint32_t>(bytes, 8 + 20 + 8, number_at<std::uint32_t>(bytes, 8 + 8));
    EXPECT_EQ(refusal(bytes), "the file is damaged: slice arm64 lies over other bytes of the file");
    bytes = sample("fat.so");
    set_number<std::uint32_t>(bytes, 8 + 12, big(0x7FFFFFFF));
    EXPECT_EQ(refusal(bytes).substr(0, 59), "the file is cut or damaged: slice x86_64 ends at byte 21474");
    bytes = sample("fat.so");
    const std::size_t second = swap_bytes(number_at<std::uint32_t>(bytes, 8 + 20 + 8));
    set_number<std::uint32_t>(bytes, second + 16, 100'000);
    EXPECT_EQ(
        refusal(bytes),
        "slice arm64: the file is damaged: it is said to have 100000 load commands, and no more than 2000 are read");
    bytes = sample("fat.so");
    set_number<std::uint32_t>(bytes, second, 0xBEBAFECA);
    EXPECT_EQ(refusal(bytes), "the file is damaged: slice arm64 is not a Mach-O file");
}

}  // namespace nasm_build::inspect::test
