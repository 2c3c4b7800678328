// The tables by which CPython knows a module: which were found, and what no rule could look at.
#include "inspect/rules/tables.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "inspect/rules/entry_names.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace tables {

namespace {

// Far more than modules have; a file of lies may have as many as it has bytes.
constexpr unsigned most_rows = 20'000;
constexpr std::ptrdiff_t most_findings = 50;

bool continues(unsigned char byte) noexcept {
    return (byte & 0xC0U) == 0x80;
}

/// RFC 3629: no overlong form, no surrogate, nothing over U+10FFFF.
bool is_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        const auto at = [&](std::size_t offset) {
            return i + offset < text.size() ? static_cast<unsigned char>(text[i + offset])
                                            : static_cast<unsigned char>(0);
        };
        const unsigned char first = at(0);
        const unsigned char second = at(1);
        std::size_t length = 1;
        if (first >= 0x80) {
            const bool two = first >= 0xC2 && first <= 0xDF && continues(second);
            const bool three = (first & 0xF0U) == 0xE0 && continues(second) && continues(at(2)) &&
                               !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F);
            const bool four = first >= 0xF0 && first <= 0xF4 && continues(second) && continues(at(2)) &&
                              continues(at(3)) && !(first == 0xF0 && second < 0x90) &&
                              !(first == 0xF4 && second > 0x8F);
            length = two ? 2 : three ? 3 : four ? 4 : 0;
        }
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

std::string place_of(const Image& image, std::uint64_t address) {
    const std::string section = section_name(image, address);
    return section.empty() ? fmt::format("0x{:x}", address) : section;
}

constexpr const char* relocate = "write the label alone there (`dq label`), so that the loader fills in its address";

}  // namespace

const std::array<std::string_view, 6>& rule_ids() noexcept {
    static constexpr std::array ids{rule::module_definition, rule::module_slots, rule::method_table,
                                    rule::attribute_table,   rule::type_spec,    rule::abi_info};
    return ids;
}

std::optional<DefinitionLayout> Context::layout() const {
    if (expected.unversioned_abi) {
        return DefinitionLayout{*expected.unversioned_abi == toolchain::Abi::abi3t};
    }
    if (!expected.python) {
        return std::nullopt;
    }
    return DefinitionLayout{expected.python->free_threaded || expected.python->abi == toolchain::Abi::abi3t};
}

bool Context::promises_less_than(unsigned minor) const {
    return expected.python && expected.python->version < toolchain::PythonVersion{3, minor};
}

bool Context::promises(unsigned minor) const {
    return !expected.python || expected.python->abi != toolchain::Abi::version_specific || !promises_less_than(minor);
}

void Context::error(std::string_view rule, std::string message, std::string fix) {
    saw(rule);
    verdict.findings.push_back(make_finding(rule, Severity::error, {std::move(message), std::move(fix)}));
}

void Context::warning(std::string_view rule, std::string message, std::string fix) {
    saw(rule);
    verdict.findings.push_back(make_finding(rule, Severity::warning, {std::move(message), std::move(fix)}));
}

void Context::not_checked(std::string_view rule, std::string reason) {
    const bool is_told = std::any_of(verdict.not_checked.begin(), verdict.not_checked.end(),
                                     [&](const NotChecked& one) { return one.rule == rule && one.reason == reason; });
    if (!is_told) {
        verdict.not_checked.push_back({std::string(rule), std::move(reason)});
    }
}

bool Context::may_look_on(std::string_view rule) {
    const auto found = std::count_if(verdict.findings.begin(), verdict.findings.end(),
                                     [&](const Finding& one) { return one.rule == rule; });
    if (found >= most_findings) {
        return false;
    }
    if (++rows_ > most_rows) {
        not_checked(rule,
                    fmt::format("the tables have more than {} rows, and the others were not looked at", most_rows));
        return false;
    }
    return true;
}

bool Context::has_seen(std::string_view rule) const {
    return std::find(seen_.begin(), seen_.end(), rule) != seen_.end();
}

bool check_text(Context& context, std::string_view rule, const std::string& what, const Word& word) {
    if (word.kind == Word::Kind::symbol) {
        return true;
    }
    if (word.kind != Word::Kind::address) {
        context.error(rule, fmt::format("{} is the number 0x{:x}, not the address of a text", what, word.value),
                      relocate);
        return false;
    }
    if (!is_mapped(context.image, word.value, 1)) {
        context.error(rule, fmt::format("{} is the address 0x{:x}, which lies outside of the module", what, word.value),
                      "name the text's label there");
        return false;
    }
    const auto text = text_at(context.image, word.value);
    if (text && !is_utf8(*text)) {
        context.error(
            rule, fmt::format("{} is a text that is not UTF-8: the import ends with UnicodeDecodeError", what),
            "save the source as UTF-8, and write the text between backquotes with \\u escapes or between quotes");
        return false;
    }
    return true;
}

bool check_function(Context& context, std::string_view rule, const std::string& what, const Word& word) {
    if (word.kind == Word::Kind::symbol ||
        (word.kind == Word::Kind::address && is_executable(context.image, word.value))) {
        return true;
    }
    if (word.kind == Word::Kind::address) {
        context.error(
            rule, fmt::format("{} is an address in {}, which is not code", what, place_of(context.image, word.value)),
            "name the function's label there, and put `section .text` before the function");
    } else {
        context.error(rule, fmt::format("{} is the number 0x{:x}, not the address of a function", what, word.value),
                      relocate);
    }
    return false;
}

bool check_table(Context& context, std::string_view rule, const std::string& what, const Word& word) {
    if (word.kind == Word::Kind::symbol) {
        return false;
    }
    if (word.kind == Word::Kind::address && is_mapped(context.image, word.value, 8)) {
        return true;
    }
    if (word.kind == Word::Kind::address) {
        context.error(rule, fmt::format("{} is the address 0x{:x}, which lies outside of the module", what, word.value),
                      "name the table's label there");
    } else {
        context.error(rule, fmt::format("{} is the number 0x{:x}, not the address of a table", what, word.value),
                      relocate);
    }
    return false;
}

std::string row_name(const Array& array, std::uint64_t row) {
    return fmt::format("row {} of {}", row + 1, array.name);
}

bool check_row(Context& context, const Array& array, std::uint64_t row) {
    const std::uint64_t at = array.address + row * array.row_size;
    if (is_written_by_code(context.image, at, at + array.row_size)) {
        context.not_checked(array.rule, fmt::format("the module's code writes to {}", row_name(array, row)));
        return false;
    }
    if (!context.may_look_on(array.rule)) {
        return false;
    }
    if (!is_mapped(context.image, at, array.row_size)) {
        context.error(array.rule,
                      fmt::format("{} have no end: CPython reads {} rows of {} up to the end of the section",
                                  array.name, row, array.type),
                      fmt::format("end the table with a row of zeros: `times {} db 0`", array.row_size));
        return false;
    }
    for (const Pointer& pointer : pointers_in(context.image, at, at + array.row_size)) {
        const std::uint64_t offset = pointer.place - at;
        if (std::find(array.address_fields.begin(), array.address_fields.end(), offset) == array.address_fields.end()) {
            context.error(array.rule,
                          fmt::format("{} has an address at offset {}, where {} has no field for one ({})",
                                      row_name(array, row), offset, array.type, array.fields),
                          std::string(array.fix));
            return false;
        }
    }
    return true;
}

std::optional<std::string_view> named_row(Context& context, const Array& array, std::uint64_t row) {
    if (!check_row(context, array, row)) {
        return std::nullopt;
    }
    const auto name = word_at(context.image, array.address + row * array.row_size);
    if (!name || name->is_null()) {
        return std::nullopt;
    }
    if (name->kind == Word::Kind::number || name->kind == Word::Kind::torn) {
        context.error(
            array.rule,
            fmt::format("{} begins with the number 0x{:x}, which is neither the address of a name nor the end",
                        row_name(array, row), name->value),
            fmt::format("end the table with a row of zeros, `times {} db 0`, and write each name as a label",
                        array.row_size));
        return std::nullopt;
    }
    if (!check_text(context, array.rule, row_name(array, row) + ": its name", *name)) {
        return std::nullopt;
    }
    return name->kind == Word::Kind::address ? text_at(context.image, name->value).value_or("") : std::string_view("?");
}

namespace {

bool imports_type_makers(const Image& image) {
    return std::any_of(image.imports.begin(), image.imports.end(), [](const Import& one) {
        return one.name.starts_with("PyType_From") && one.name != "PyType_FromSlots";
    });
}

/// Whether the module can hand over a definition at all: it calls what takes one, or returns its slots.
bool can_hand_over(const Image& image) {
    static constexpr auto takers =
        std::to_array<std::string_view>({"PyModuleDef_Init", "PyModule_Create2", "PyModule_FromDefAndSpec2"});
    return std::any_of(
               image.imports.begin(), image.imports.end(),
               [](const Import& one) { return std::find(takers.begin(), takers.end(), one.name) != takers.end(); }) ||
           std::any_of(image.exports.begin(), image.exports.end(),
                       [](const Export& one) { return one.name.starts_with("PyModExport"); });
}

bool has_entry(const Image& image, std::string_view prefix) {
    return std::any_of(image.exports.begin(), image.exports.end(),
                       [&](const Export& one) { return one.name.starts_with(prefix); });
}

/// What the module's own entry points hand over; what those for other names do is theirs. All of it where no name is known.
std::vector<TableUse> uses_of_module(const Image& image, const Expectations& expected) {
    const EntryNames names = entry_names(leaf_name(expected));
    const auto is_own = [&](std::string_view name) { return name == names.init || name == names.module_export; };
    const bool has_own =
        std::any_of(image.exports.begin(), image.exports.end(), [&](const Export& one) { return is_own(one.name); });
    std::vector<TableUse> uses;
    std::copy_if(image.entry_code.uses.begin(), image.entry_code.uses.end(), std::back_inserter(uses),
                 [&](const TableUse& use) { return !has_own || is_own(use.entry); });
    return uses;
}

/// For the rules that saw no table: why.
void explain_the_rest(Context& context) {
    const Image& image = context.image;
    const bool knows_a_table = context.has_seen(rule::module_definition) || context.has_seen(rule::module_slots);
    const auto say = [&](std::string_view id, const char* why_not_applicable, const std::string& why_not_checked) {
        const auto names_it = [&](const auto& one) { return one.rule == id; };
        const bool is_said = context.has_seen(id) || std::any_of(context.verdict.not_checked.begin(),
                                                                 context.verdict.not_checked.end(), names_it);
        if (is_said) {
            return;
        }
        if (why_not_checked.empty()) {
            context.verdict.not_applicable.push_back({std::string(id), why_not_applicable});
        } else {
            context.not_checked(id, why_not_checked);
        }
    };
    const std::string unreached = !knows_a_table ? "the tables of the module were not found" : "";
    say(rule::module_definition, "the module has no PyModuleDef", has_entry(image, "PyInit") ? unreached : "");
    say(rule::module_slots, "the module has no slots", unreached);
    say(rule::method_table, "the module has no methods", unreached);
    const std::string no_call =
        imports_type_makers(image) ? "no call of PyType_FromSpec or its relatives with a known spec was reached" : "";
    say(rule::type_spec, "the module makes no type from a PyType_Spec", no_call);
    say(rule::attribute_table, "the types have no members or attributes of their own",
        context.has_seen(rule::type_spec) ? "" : no_call);
    say(rule::abi_info, "the module has no PyABIInfo", has_entry(image, "PyModExport") ? unreached : "");
}

/// A PE file that once had base relocations. One without any address of its own never needs them.
bool lacks_relocations(const Image& image) {
    return image.format == Format::pe &&
           (image.pe.relocations_stripped || (!image.pe.has_relocations && image.pe.own_addresses > 0));
}

}  // namespace

}  // namespace tables

Verdict check_tables(const Image& image, const Expectations& expected) {
    using tables::Context;
    Context context(image, expected);
    if (!expected.is_extension_module) {
        return {};
    }
    const bool has_entry = std::any_of(image.exports.begin(), image.exports.end(),
                                       [](const Export& one) { return is_entry_name(one.name); });
    const std::vector<TableUse> uses = tables::uses_of_module(image, expected);
    const bool has_code = std::any_of(image.exports.begin(), image.exports.end(), [&](const Export& one) {
        return is_entry_name(one.name) && is_executable(image, one.address);
    });
    std::string not_applicable;
    if (!has_entry) {
        not_applicable = "there is no entry point to reach tables from";
    } else if (!has_code) {
        not_applicable = "the entry point is no code";
    } else if (!expected.other_implementation.empty()) {
        not_applicable = fmt::format("the module is for {}", expected.other_implementation);
    } else if (image.entry_code.missing.empty() && uses.empty() && !tables::can_hand_over(image)) {
        not_applicable = "the module calls no function of CPython that takes a definition";
    }
    std::string reason;
    if (!image.entry_code.missing.empty()) {
        reason = image.entry_code.missing;
    } else if (tables::lacks_relocations(image)) {
        reason = "its relocations were stripped, and without them an address in a table is a number like any other";
    } else if (has_entry && uses.empty()) {
        reason = "the code of the entry point hands CPython no table whose address is known before it runs";
    }
    for (const std::string_view id : tables::rule_ids()) {
        if (!not_applicable.empty()) {
            context.verdict.not_applicable.push_back({std::string(id), not_applicable});
        } else if (!reason.empty()) {
            context.not_checked(id, reason);
        }
    }
    if (!not_applicable.empty() || !reason.empty()) {
        return std::move(context.verdict);
    }
    for (const TableUse& use : uses) {
        switch (use.kind) {
            case TableKind::definition:
            case TableKind::definition_at_once:
                tables::check_definition(context, use);
                break;
            case TableKind::slots:
                tables::check_new_slots(context, use);
                break;
            case TableKind::type_spec:
                tables::check_type_spec(context, use.address);
                break;
            case TableKind::methods:
                tables::check_methods(context, "the functions for PyModule_AddFunctions", use.address, false);
                break;
        }
    }
    tables::explain_the_rest(context);
    return std::move(context.verdict);
}

}  // namespace nasm_build::inspect
