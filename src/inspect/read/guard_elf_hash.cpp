// The guard of ELF: the hash tables, by which the loader finds symbols and by which they can be counted.
#include <algorithm>

#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::elf {

namespace {

std::uint64_t count_by_sysv_hash(ByteView file, const Layout& layout, std::uint64_t address) {
    const std::uint64_t at = offset_of(layout, address, 8, "the hash table");
    const std::uint64_t buckets = file.load<std::uint32_t>(at);
    const std::uint64_t chains = file.load<std::uint32_t>(at + 4);
    static_cast<void>(offset_of(layout, address, 8 + 4 * (buckets + chains), "the hash table"));
    return chains;  // gABI: as many chains as symbols
}

/// The last symbol is the last of the chain that starts highest: chains lie in the order of the symbols.
std::uint64_t count_by_gnu_hash(ByteView file, const Layout& layout, std::uint64_t address) {
    constexpr std::uint64_t header = 16;
    const std::uint64_t at = offset_of(layout, address, header, "the GNU hash table");
    const std::uint64_t buckets = file.load<std::uint32_t>(at);
    const std::uint64_t first_symbol = file.load<std::uint32_t>(at + 4);
    const std::uint64_t bloom_words = file.load<std::uint32_t>(at + 8);
    const std::uint64_t before_chains = header + bloom_words * layout.word() + buckets * 4;
    static_cast<void>(offset_of(layout, address, before_chains, "the GNU hash table"));
    if (buckets == 0 || (bloom_words & (bloom_words - 1)) != 0) {
        fail_damaged("its GNU hash table has a size that cannot be");
    }
    std::uint64_t highest = 0;
    for (std::uint64_t i = 0; i < buckets; ++i) {
        const std::uint64_t symbol = file.load<std::uint32_t>(at + before_chains - buckets * 4 + i * 4);
        if (symbol != 0 && symbol < first_symbol) {
            fail_damaged("its GNU hash table refers to a symbol that is not in it");
        }
        highest = std::max(highest, symbol);
    }
    if (highest == 0) {
        return 0;  // nothing is exported: the table does not say how many symbols there are
    }
    for (std::uint64_t symbol = highest;; ++symbol) {
        const std::uint64_t chain = before_chains + (symbol - first_symbol) * 4;
        const std::uint64_t where = offset_of(layout, address, chain + 4, "the GNU hash table");
        static_cast<void>(where);
        if ((file.load<std::uint32_t>(at + chain) & 1U) != 0) {
            return symbol + 1;
        }
    }
}

}  // namespace

std::uint64_t symbols_by_hash(ByteView file, const Layout& layout) {
    std::uint64_t by_sysv = 0;
    std::uint64_t by_gnu = 0;
    if (const DynamicEntry* entry = layout.find(dt_hash)) {
        by_sysv = count_by_sysv_hash(file, layout, entry->value);
    }
    if (const DynamicEntry* entry = layout.find(dt_gnu_hash)) {
        by_gnu = count_by_gnu_hash(file, layout, entry->value);
    }
    if (by_sysv != 0 && by_gnu != 0 && by_sysv != by_gnu) {
        fail_damaged("its two hash tables disagree on the number of symbols");
    }
    return by_sysv != 0 ? by_sysv : by_gnu;
}

}  // namespace nasm_build::inspect::elf
