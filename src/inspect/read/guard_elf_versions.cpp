// The guard of ELF: symbol versions (DT_VERSYM, DT_VERNEED, DT_VERDEF), which are chains of records.
#include <fmt/format.h>

#include "inspect/read/guard_elf.hpp"

namespace nasm_build::inspect::elf {

namespace {

// LIEF compares every version record with every symbol; libraries stay a hundred times below this.
constexpr std::uint64_t comparison_limit = 200'000'000;
// The version by which a file says that its loader must know DT_RELR.
constexpr std::string_view packed_relocations_mark = "GLIBC_ABI_DT_RELR";

/// Where the fields of a record lie; verneed and verdef differ in little else.
struct Shape {
    std::uint64_t size, count_at, auxiliary_at, next_at, name_at;  // name_at: 0 when the record itself has no name
    std::uint64_t auxiliary_size, auxiliary_name_at, auxiliary_next_at;
    const char* what;
};

constexpr Shape needed_shape = {16, 2, 8, 12, 4, 16, 8, 12, "the table of needed versions"};
constexpr Shape defined_shape = {20, 6, 12, 16, 0, 8, 0, 4, "the table of defined versions"};

class Chain {
public:
    Chain(ByteView file, const Layout& layout, const Shape& shape, std::uint64_t address)
        : file_(file), layout_(layout), shape_(shape), address_(address) {}

    /// Whether one of the versions that were walked is GLIBC_ABI_DT_RELR.
    [[nodiscard]] bool has_mark() const noexcept { return has_mark_; }

    /// Walks `count` records and returns how many auxiliary records they have together.
    std::uint64_t walk(std::uint64_t count) {
        std::uint64_t auxiliaries = 0;
        std::uint64_t at = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t record = where(at, shape_.size);
            if (file_.load<std::uint16_t>(record) != 1) {
                fail_damaged(fmt::format("{} has a record of an unknown kind", shape_.what));
            }
            if (shape_.name_at != 0) {
                static_cast<void>(take_name(record + shape_.name_at));
            }
            const std::uint64_t in_record = file_.load<std::uint16_t>(record + shape_.count_at);
            walk_auxiliaries(at + file_.load<std::uint32_t>(record + shape_.auxiliary_at), in_record);
            auxiliaries += in_record;
            const std::uint64_t next = file_.load<std::uint32_t>(record + shape_.next_at);
            advance(at, next, shape_.size, i + 1 == count);
        }
        return auxiliaries;
    }

private:
    [[nodiscard]] std::uint64_t where(std::uint64_t at, std::uint64_t size) const {
        return offset_of(layout_, address_, at + size, shape_.what) + at;
    }

    std::string_view take_name(std::uint64_t field) {
        const auto name = layout_.dynamic_strings.text(file_.load<std::uint32_t>(field));
        if (!name) {
            fail_damaged(fmt::format("a name in {} lies outside of the table of names", shape_.what));
        }
        budget_.take(*name);
        return *name;
    }

    void walk_auxiliaries(std::uint64_t at, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t record = where(at, shape_.auxiliary_size);
            has_mark_ |= take_name(record + shape_.auxiliary_name_at) == packed_relocations_mark;
            const std::uint64_t next = file_.load<std::uint32_t>(record + shape_.auxiliary_next_at);
            advance(at, next, shape_.auxiliary_size, i + 1 == count);
        }
    }

    void advance(std::uint64_t& at, std::uint64_t next, std::uint64_t size, bool last) const {
        if (last ? next != 0 : next < size) {
            fail_damaged(fmt::format("{} does not have as many records as it states", shape_.what));
        }
        at += next;
    }

    ByteView file_;
    const Layout& layout_;
    const Shape& shape_;
    std::uint64_t address_;
    bool has_mark_ = false;
    NameBudget budget_{name_budget(layout_.dynamic_strings.size())};
};

struct Walked {
    std::uint64_t auxiliaries = 0;
    bool has_mark = false;
};

Walked walk(ByteView file, const Layout& layout, const Shape& shape, std::uint64_t tag, std::uint64_t count_tag) {
    const DynamicEntry* table = layout.find(tag);
    if (table == nullptr || layout.find(count_tag) == nullptr) {
        return {};
    }
    require_count(layout.value(count_tag), 100'000, "version records");
    Chain chain(file, layout, shape, table->value);
    const std::uint64_t auxiliaries = chain.walk(layout.value(count_tag));
    return {auxiliaries, chain.has_mark()};
}

}  // namespace

void check_symbol_versions(ByteView file, Layout& layout) {
    if (const DynamicEntry* table = layout.find(dt_versym)) {
        static_cast<void>(offset_of(layout, table->value, layout.symbol_count * 2, "the table of symbol versions"));
        layout.has_symbol_versions = true;
    }
    const Walked needed = walk(file, layout, needed_shape, dt_verneed, dt_verneednum);
    const Walked defined = walk(file, layout, defined_shape, dt_verdef, dt_verdefnum);
    const std::uint64_t auxiliaries = needed.auxiliaries + defined.auxiliaries;
    layout.needs_packed_relocations_mark = needed.has_mark;
    if (layout.find(dt_verneed) != nullptr) {
        layout.needed_versions = layout.value(dt_verneednum);
    }
    if (layout.find(dt_verdef) != nullptr) {
        layout.defined_versions = layout.value(dt_verdefnum);
    }
    if (auxiliaries * layout.symbol_count > comparison_limit) {
        fail_damaged("its tables of symbol versions are too long for its symbols");
    }
}

}  // namespace nasm_build::inspect::elf
