// The export table of a PE file: names, ordinals without a name, forwarders.
#include <fmt/format.h>

#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::pe {

namespace {

constexpr std::uint64_t export_limit = 65'536;  // ordinals have 16 bits

/// The table of addresses: where each ordinal leads.
class Addresses {
public:
    Addresses(ByteView file, const Layout& layout, std::uint64_t table, std::uint64_t count)
        : file_(file), layout_(layout), directory_(layout.directories[export_directory]), named_(count, false) {
        at_ = count == 0 ? 0 : offset_of(file, layout, table, count * 4, "the table of exported addresses");
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return named_.size(); }
    [[nodiscard]] std::uint32_t address(std::uint64_t index) const {
        return file_.load<std::uint32_t>(at_ + index * 4);
    }
    [[nodiscard]] bool is_named(std::uint64_t index) const { return named_[static_cast<std::size_t>(index)]; }
    void mark_named(std::uint64_t index) { named_[static_cast<std::size_t>(index)] = true; }

    /// Where a forwarder leads, or empty: its address lies within the export directory.
    [[nodiscard]] std::string forwarded_to(std::uint32_t address, NameBudget& budget) const {
        if (address < directory_.address || address - directory_.address >= directory_.size) {
            return {};
        }
        const std::string_view text = text_at(file_, layout_, address, "the name that an export is forwarded to");
        budget.take(text);
        return std::string(text);
    }

private:
    ByteView file_;
    const Layout& layout_;
    const Range& directory_;
    std::uint64_t at_ = 0;
    std::vector<bool> named_;
};

void read_names(ByteView file, const Layout& layout, std::uint64_t directory, Addresses& addresses, Tables& tables,
                NameBudget& budget) {
    const std::uint64_t count = file.load<std::uint32_t>(directory + 24);
    if (count == 0) {
        return;
    }
    require_count(count, export_limit, "exported names");
    const std::uint64_t names =
        offset_of(file, layout, file.load<std::uint32_t>(directory + 32), count * 4, "the table of exported names");
    const std::uint64_t indexes =
        offset_of(file, layout, file.load<std::uint32_t>(directory + 36), count * 2, "the table of exported ordinals");
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t index = file.load<std::uint16_t>(indexes + i * 2);
        const std::string_view name =
            text_at(file, layout, file.load<std::uint32_t>(names + i * 4), "the name of an export");
        budget.take(name);
        if (index >= addresses.count() || addresses.address(index) == 0) {
            fail_damaged(fmt::format("the export {} has no address", printable(name)));
        }
        addresses.mark_named(index);
        const std::uint32_t address = addresses.address(index);
        const std::string forwarded = addresses.forwarded_to(address, budget);
        tables.exports.push_back(
            {std::string(name), forwarded.empty() ? address : 0, 0, SymbolKind::untyped, false, forwarded});
    }
}

}  // namespace

void read_exports(ByteView file, const Layout& layout, Tables& tables, NameBudget& budget) {
    const Range& range = layout.directories[export_directory];
    if (range.address == 0) {
        return;
    }
    const std::uint64_t directory = offset_of(file, layout, range.address, 40, "the export table");
    tables.export_table = directory;
    if (const auto name = file.load<std::uint32_t>(directory + 12); name != 0) {
        const std::string_view text = text_at(file, layout, name, "the name in the export table");
        budget.take(text);
        tables.name = text;
    }
    const std::uint64_t first_ordinal = file.load<std::uint32_t>(directory + 16);
    const std::uint64_t count = file.load<std::uint32_t>(directory + 20);
    require_count(count, export_limit, "exports");
    Addresses addresses(file, layout, file.load<std::uint32_t>(directory + 28), count);
    read_names(file, layout, directory, addresses, tables, budget);
    for (std::uint64_t index = 0; index < count; ++index) {
        const std::uint32_t address = addresses.address(index);
        tables.export_addresses += address != 0 ? 1U : 0U;
        if (address != 0 && !addresses.is_named(index)) {
            tables.exports_without_name.push_back(
                {fmt::format("#{}", first_ordinal + index), address, HiddenBecause::ordinal_only});
        }
    }
}

}  // namespace nasm_build::inspect::pe
