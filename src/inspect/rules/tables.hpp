// What the rules on tables share: the image, what the module is for, and the words for a table and its rows.
//
// Facts of layout and of what CPython refuses come from CPython's headers and from imports into CPython 3.10 to 3.15 that failed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"
#include "inspect/memory.hpp"

namespace nasm_build::inspect::tables {

/// Where the fields of PyModuleDef lie: a free-threaded build's PyObject is 16 bytes larger.
struct DefinitionLayout {
    bool free_threaded = false;

    [[nodiscard]] std::uint64_t head() const noexcept { return free_threaded ? 32 : 16; }  ///< of PyObject
    [[nodiscard]] std::uint64_t type() const noexcept { return head() - 8; }
    [[nodiscard]] std::uint64_t init() const noexcept { return head(); }
    [[nodiscard]] std::uint64_t index() const noexcept { return head() + 8; }
    [[nodiscard]] std::uint64_t copy() const noexcept { return head() + 16; }
    [[nodiscard]] std::uint64_t base() const noexcept { return head() + 24; }
    [[nodiscard]] std::uint64_t name() const noexcept { return base(); }
    [[nodiscard]] std::uint64_t doc() const noexcept { return base() + 8; }
    [[nodiscard]] std::uint64_t state_size() const noexcept { return base() + 16; }
    [[nodiscard]] std::uint64_t methods() const noexcept { return base() + 24; }
    [[nodiscard]] std::uint64_t slots() const noexcept { return base() + 32; }
    [[nodiscard]] std::uint64_t traverse() const noexcept { return base() + 40; }
    [[nodiscard]] std::uint64_t clear() const noexcept { return base() + 48; }
    [[nodiscard]] std::uint64_t free() const noexcept { return base() + 56; }
    [[nodiscard]] std::uint64_t size() const noexcept { return base() + 64; }
};

/// The ids of the rules on tables, in the order of the registry.
[[nodiscard]] const std::array<std::string_view, 6>& rule_ids() noexcept;

class Context {
public:
    Context(const Image& of_image, const Expectations& of_module) : image(of_image), expected(of_module) {}

    const Image& image;
    const Expectations& expected;
    Verdict verdict;

    /// The layout that the module's CPython has; nothing when nobody said which.
    [[nodiscard]] std::optional<DefinitionLayout> layout() const;
    /// Whether a promised CPython is older than 3.`minor`; false when nobody said.
    [[nodiscard]] bool promises_less_than(unsigned minor) const;
    /// Whether a promised CPython is 3.`minor` or newer, or nobody said.
    [[nodiscard]] bool promises(unsigned minor) const;

    void error(std::string_view rule, std::string message, std::string fix);
    void warning(std::string_view rule, std::string message, std::string fix);
    /// Once a rule and reason.
    void not_checked(std::string_view rule, std::string reason);
    /// The rule had a table to look at.
    void saw(std::string_view rule) { seen_.emplace_back(rule); }
    [[nodiscard]] bool has_seen(std::string_view rule) const;
    /// Counts a row that is looked at; false when there were too many, or too many findings of the rule.
    [[nodiscard]] bool may_look_on(std::string_view rule);

private:
    unsigned rows_ = 0;
    std::vector<std::string> seen_;
};

/// A text that CPython decodes: an address of valid UTF-8. False when it is wrong, and was told. `what` is the beginning of the
/// message: `the module's definition: m_name`.
bool check_text(Context& context, std::string_view rule, const std::string& what, const Word& word);

/// A function: an address of code, or another image's symbol. Null is the caller's to judge.
bool check_function(Context& context, std::string_view rule, const std::string& what, const Word& word);

/// An address of this image's memory, as that of a table must be. False when it is wrong, and was told; false in silence for a
/// table of another image, which cannot be looked at.
bool check_table(Context& context, std::string_view rule, const std::string& what, const Word& word);

/// What an array of rows is, for the walk over them.
struct Array {
    std::string_view rule;
    std::string name;  ///< `the module's methods`
    std::string_view type;  ///< `PyMethodDef`
    std::uint64_t address = 0;
    std::uint64_t row_size = 0;
    std::vector<std::uint64_t> address_fields;  ///< the offsets at which a row may have an address
    std::string_view fields;  ///< `ml_name 0, ml_meth 8, ml_flags 16, ml_doc 24`
    std::string_view fix;
};

/// `row 3 of the module's methods`
[[nodiscard]] std::string row_name(const Array& array, std::uint64_t row);

/// Whether the row can be read on: it lies in memory, and no address lies where no field is. Tells what is wrong.
bool check_row(Context& context, const Array& array, std::uint64_t row);

/// What a row begins with where each begins with its name: the name; nothing at the end of the array, and where it cannot be
/// read on, which was told.
[[nodiscard]] std::optional<std::string_view> named_row(Context& context, const Array& array, std::uint64_t row);

// The tables, a file each.
void check_definition(Context& context, const TableUse& use);  // table_definition.cpp
void check_old_slots(Context& context, std::uint64_t address);  // table_slots.cpp
void check_new_slots(Context& context, const TableUse& use);  // table_slots.cpp
void check_abi_info(Context& context, std::uint64_t address);  // table_abi_info.cpp
void check_type_spec(Context& context, std::uint64_t address);  // table_types.cpp
/// `of_type`: the methods of a type, not the functions of a module.
void check_methods(Context& context, const std::string& name, std::uint64_t address, bool of_type);  // table_rows.cpp
void check_members(Context& context, const std::string& name, std::uint64_t address, std::int64_t basic_size,
                   std::int64_t item_size);  // table_rows.cpp
void check_attributes(Context& context, const std::string& name, std::uint64_t address);  // table_rows.cpp

}  // namespace nasm_build::inspect::tables
