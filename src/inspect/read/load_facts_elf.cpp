#include "inspect/read/load_facts_elf.hpp"

namespace nasm_build::inspect::elf {

namespace {

void read_segments(const Layout& layout, ElfFacts& facts) {
    for (const Segment& segment : layout.segments) {
        if (segment.type == pt_load) {
            facts.loads.push_back({segment.address, segment.offset, segment.alignment});
        } else if (segment.type == pt_tls && segment.memory_size != 0) {  // the loader takes the last one
            facts.thread_storage = ThreadStorage{segment.memory_size, segment.alignment};
        } else if (segment.type == pt_gnu_relro) {
            facts.has_read_only_relocations = segment.memory_size != 0;
        }
    }
}

void read_flags(const Layout& layout, ElfFacts& facts) {
    const std::uint64_t flags = layout.value(dt_flags);
    const std::uint64_t flags_1 = layout.value(dt_flags_1);
    facts.is_position_independent_program = layout.type == et_dyn && (flags_1 & df_1_pie) != 0;
    facts.refuses_dlopen = (flags_1 & df_1_noopen) != 0;
    facts.claims_static_thread_storage = (flags & df_static_tls) != 0;
    facts.binds_at_load =
        layout.find(dt_bind_now) != nullptr || (flags & df_bind_now) != 0 || (flags_1 & df_1_now) != 0;
    facts.has_late_bindings = layout.value(dt_pltrelsz) != 0;
    facts.has_packed_relocations = layout.relative.count != 0;
    facts.needs_packed_relocations_mark = layout.needs_packed_relocations_mark;
    facts.needs_symbol_versions = layout.needed_versions != 0;
}

}  // namespace

ElfFacts load_facts(ByteView file, const Layout& layout, const RelocationFacts& relocations) {
    ElfFacts facts;
    facts.os_abi = file.load<std::uint8_t>(7);
    facts.has_fixed_address = layout.type == et_exec;
    read_segments(layout, facts);
    read_flags(layout, facts);
    facts.indirect_relocations = relocations.indirect;
    facts.indirect_symbol = relocations.indirect_symbol;
    facts.places_own_storage_statically = relocations.places_own_storage_statically;
    facts.properties = gnu_properties(file, layout);
    return facts;
}

}  // namespace nasm_build::inspect::elf
