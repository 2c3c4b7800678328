// The guard of PE: imported libraries and symbols, normal and delayed.
#include <fmt/format.h>

#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::pe {

namespace {

constexpr std::uint64_t library_limit = 4096;
constexpr std::uint64_t symbol_limit = 500'000;

/// Walks one table of thunks to its zero and returns their number. `values` is the address table beside it, or 0.
class ThunkWalk {
public:
    ThunkWalk(ByteView file, const Layout& layout, NameBudget& budget, ContentsGatherer& gatherer)
        : file_(file), layout_(layout), budget_(budget), gatherer_(gatherer) {}

    std::uint64_t walk(std::uint64_t names, std::uint64_t values, const std::string& library) {
        const std::string what = "the table of imports from " + library;
        const std::uint64_t ordinal_flag = std::uint64_t{1} << (layout_.pointer() * 8 - 1);
        for (std::uint64_t count = 0;; ++count) {
            require_count(total_ + count, symbol_limit, "imported symbols");
            const std::uint64_t thunk = load(names, count, what);
            const bool ends = thunk == 0;
            if (values != 0 && (load(values, count, what) == 0) != ends) {
                fail_damaged(fmt::format("the two tables of imports from {} differ in length", library));
            }
            if (ends) {
                total_ += count;
                return count;
            }
            if ((thunk & ordinal_flag) == 0) {
                if (thunk > 0x7FFFFFFFU) {
                    fail_damaged(fmt::format("the name of an import from {} does not lie in a section", library));
                }
                static_cast<void>(offset_of(file_, layout_, thunk, 3, "the name of an import"));
                const std::string_view name = text_at(file_, layout_, thunk + 2, "the name of an import");
                budget_.take(name);
                gatherer_.add_symbol((values != 0 ? values : names) + count * layout_.pointer(), name);
            }
        }
    }

private:
    [[nodiscard]] std::uint64_t load(std::uint64_t table, std::uint64_t index, const std::string& what) const {
        const std::uint64_t size = layout_.pointer();
        const std::uint64_t at = offset_of(file_, layout_, table + index * size, size, what);
        return layout_.is_64 ? file_.load<std::uint64_t>(at) : file_.load<std::uint32_t>(at);
    }

    ByteView file_;
    const Layout& layout_;
    NameBudget& budget_;
    ContentsGatherer& gatherer_;
    std::uint64_t total_ = 0;
};

void check_normal(ByteView file, const Layout& layout, Tables& tables, NameBudget& budget, ContentsGatherer& gatherer) {
    constexpr std::uint64_t size = 20;
    const Range& directory = layout.directories[import_directory];
    ThunkWalk thunks(file, layout, budget, gatherer);
    for (std::uint64_t address = directory.address;; address += size) {
        const std::uint64_t at = offset_of(file, layout, address, size, "the table of imported libraries");
        const std::uint64_t lookup = file.load<std::uint32_t>(at);
        const std::uint64_t name = file.load<std::uint32_t>(at + 12);
        const std::uint64_t addresses = file.load<std::uint32_t>(at + 16);
        if (name == 0 && addresses == 0) {
            return;  // what the loader takes for the end
        }
        const std::string_view library = text_at(file, layout, name, "the name of an imported library");
        budget.take(library);
        if (addresses == 0) {
            fail_damaged(fmt::format("there is no table of addresses for the imports from {}", printable(library)));
        }
        tables.imported_symbols +=
            thunks.walk(lookup != 0 ? lookup : addresses, lookup != 0 ? addresses : 0, printable(library));
        ++tables.imported_libraries;
        require_count(tables.imported_libraries, library_limit, "imported libraries");
    }
}

void check_delayed(ByteView file, const Layout& layout, Tables& tables, NameBudget& budget,
                   ContentsGatherer& gatherer) {
    constexpr std::uint64_t size = 32;
    const Range& directory = layout.directories[delay_import_directory];
    ThunkWalk thunks(file, layout, budget, gatherer);
    for (std::uint64_t address = directory.address;; address += size) {
        const std::uint64_t at = offset_of(file, layout, address, size, "the table of delayed imports");
        const auto attributes = file.load<std::uint32_t>(at);
        const std::uint64_t name = file.load<std::uint32_t>(at + 4);
        const std::uint64_t values = file.load<std::uint32_t>(at + 12);
        const std::uint64_t names = file.load<std::uint32_t>(at + 16);
        if (name == 0) {
            tables.delayed_end = at;
            return;
        }
        const std::string_view library = text_at(file, layout, name, "the name of a delayed library");
        budget.take(library);
        if ((attributes & 1U) == 0) {
            throw Error(
                fmt::format("the file's delayed import of {} has absolute addresses, a form of before 2000 that is "
                            "not read",
                            printable(library)));
        }
        tables.delayed_symbols += thunks.walk(names, values, printable(library));
        ++tables.delayed_libraries;
        require_count(tables.delayed_libraries, library_limit, "delayed libraries");
    }
}

}  // namespace

void check_imports(ByteView file, const Layout& layout, Tables& tables, NameBudget& budget,
                   ContentsGatherer& gatherer) {
    if (layout.directories[import_directory].address != 0) {
        check_normal(file, layout, tables, budget, gatherer);
    }
    if (layout.directories[delay_import_directory].address != 0) {
        check_delayed(file, layout, tables, budget, gatherer);
    }
}

}  // namespace nasm_build::inspect::pe
