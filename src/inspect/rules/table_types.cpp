// PyType_Spec and its PyType_Slot array: what PyType_FromSpec and its relatives are given.
#include <fmt/core.h>

#include <set>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/tables.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect::tables {

namespace {

constexpr auto id = rule::type_spec;
constexpr std::uint64_t spec_size = 32, row_size = 16;
constexpr std::int64_t tp_base = 48, tp_bases = 49, tp_doc = 56, tp_methods = 64, tp_members = 72, tp_getset = 73,
                       tp_token = 83;

/// The first minor version that takes a slot's number in a PyType_Spec; nothing when none does.
std::optional<unsigned> since(std::int64_t number) {
    if (number >= 1 && number <= 80) {
        return 6;
    }
    if (number == 81) {
        return 10;
    }
    if (number == 82 || number == 83) {
        return 14;
    }
    const bool is_second_number = number >= 88 && number <= 91;
    return is_second_number || number == 92 || number == 93 ? std::optional<unsigned>(15) : std::nullopt;
}

bool is_function(std::int64_t number) {
    switch (number) {
        case tp_base:
        case tp_bases:
        case tp_doc:
        case tp_methods:
        case tp_members:
        case tp_getset:
        case tp_token:
        case 92:
        case 93:
            return false;
        default:
            return true;
    }
}

struct Spec {
    std::string name;  ///< `type pkg.Counter`
    std::int64_t basic_size = 0;
    std::int64_t item_size = 0;
};

void check_slot_value(Context& context, const Spec& spec, const std::string& what, std::int64_t number,
                      const Word& value) {
    if (value.is_null()) {
        if (number == tp_members) {
            context.error(id, fmt::format("{} (Py_tp_members) is null: making the type crashes or fails", what),
                          "leave the slot out");
        }
    } else if (is_function(number)) {
        check_function(context, id, fmt::format("{} (number {})", what, number), value);
    } else if (number == tp_doc) {
        check_text(context, id, what + " (Py_tp_doc)", value);
    } else if ((number == tp_methods || number == tp_members || number == tp_getset) &&
               check_table(context, id, what, value)) {
        if (number == tp_methods) {
            check_methods(context, "the methods of " + spec.name, value.value, true);
        } else if (number == tp_members) {
            check_members(context, "the members of " + spec.name, value.value, spec.basic_size, spec.item_size);
        } else {
            check_attributes(context, "the attributes of " + spec.name, value.value);
        }
    }
}

/// Whether a second slot of this number is refused by a promised CPython.
bool may_stand_once(const Context& context, std::int64_t number) {
    return (number == tp_doc && context.promises(12)) || (number == tp_members && context.promises(15));
}

void check_slots(Context& context, const Spec& spec, std::uint64_t address) {
    const Array array{id,
                      "the slots of " + spec.name,
                      "PyType_Slot",
                      address,
                      row_size,
                      {8},
                      "slot 0, pfunc 8",
                      "write 4 bytes between a slot's number and its value: `dd Py_tp_new, 0` and then `dq function`"};
    std::set<std::int64_t> seen;
    for (std::uint64_t row = 0; check_row(context, array, row); ++row) {
        const std::uint64_t at = address + row * row_size;
        const auto number = static_cast<std::int32_t>(*number_at(context.image, at, 4));
        if (number == 0) {
            return;
        }
        const auto first = since(number);
        const std::string what = row_name(array, row);
        if (!first) {
            context.error(
                id,
                fmt::format("{} has the number {}, which no CPython takes in a PyType_Spec: making the type fails",
                            what, number),
                "give a slot's number of CPython's headers, and end the array with `times 16 db 0`");
            return;
        }
        if (context.promises_less_than(*first)) {
            context.error(id,
                          fmt::format("{} has the number {}, which came with CPython 3.{}; making the type fails on {}",
                                      what, number, *first, audience(context.expected)),
                          fmt::format("leave it out, or build for CPython 3.{} and later", *first));
        }
        if (!seen.insert(number).second && may_stand_once(context, number)) {
            context.error(id,
                          fmt::format("{} is a second slot with the number {}: making the type ends with SystemError",
                                      what, number),
                          "leave one of them out");
        }
        check_slot_value(context, spec, what, number, *word_at(context.image, at + 8));
    }
}

bool check_size(Context& context, const Spec& spec, std::uint64_t head) {
    if (spec.basic_size < 0 && context.promises_less_than(12)) {
        context.error(
            id,
            fmt::format(
                "{} has the basicsize {}: a negative one came with CPython 3.12 (PEP 697); the module is for {}",
                spec.name, spec.basic_size, audience(context.expected)),
            "give the size of the whole object, or build for CPython 3.12 and later");
        return false;
    }
    if (spec.basic_size > 0 && spec.basic_size < static_cast<std::int64_t>(head)) {
        context.error(
            id,
            fmt::format(
                "{} has the basicsize {}, less than the {} bytes of a PyObject: CPython refuses it with TypeError",
                spec.name, spec.basic_size, head),
            "add PyObject_size to the size of the type's own fields");
        return false;
    }
    return true;
}

}  // namespace

void check_type_spec(Context& context, std::uint64_t address) {
    if (!is_mapped(context.image, address, spec_size)) {
        context.error(id, fmt::format("the PyType_Spec at 0x{:x} lies outside of the module", address),
                      "name the spec's label in the call");
        return;
    }
    const auto pointers = pointers_in(context.image, address, address + spec_size);
    if (is_written_by_code(context.image, address, address + spec_size) ||
        (pointers.empty() && is_writable(context.image, address))) {
        context.not_checked(id, fmt::format("the PyType_Spec at 0x{:x} is filled at run time", address));
        return;
    }
    context.saw(id);
    for (const Pointer& pointer : pointers) {
        const std::uint64_t offset = pointer.place - address;
        if (offset != 0 && offset != 24) {
            context.error(
                id,
                fmt::format(
                    "the PyType_Spec at 0x{:x} has an address at offset {}, where it has no field for one (name "
                    "0, basicsize 8, itemsize 12, flags 16, slots 24)",
                    address, offset),
                "write it as `dq name`, `dd basicsize, itemsize, flags, 0`, `dq slots`, or use `py_type` of Python.inc");
            return;
        }
    }
    const Word name = *word_at(context.image, address);
    const Word slots = *word_at(context.image, address + 24);
    Spec spec;
    spec.basic_size = static_cast<std::int32_t>(*number_at(context.image, address + 8, 4));
    spec.item_size = static_cast<std::int32_t>(*number_at(context.image, address + 12, 4));
    spec.name = fmt::format("the type at 0x{:x}", address);
    if (name.is_null()) {
        context.error(
            id, fmt::format("the PyType_Spec at 0x{:x} has no name: making the type ends with SystemError", address),
            "write the address of the type's name there: `module.Type`");
    } else if (check_text(context, id, fmt::format("the PyType_Spec at 0x{:x}: its name", address), name) &&
               name.kind == Word::Kind::address) {
        spec.name = fmt::format("type {}", text_at(context.image, name.value).value_or(""));
    }
    const auto layout = context.layout();
    if (!check_size(context, spec, layout ? layout->head() : DefinitionLayout{false}.head())) {
        return;
    }
    if (slots.is_null()) {
        context.error(id, fmt::format("{} has no slots: making it crashes", spec.name),
                      "write the address of an array of PyType_Slot, which may be empty: `times 16 db 0`");
    } else if (check_table(context, id, fmt::format("{}: its slots", spec.name), slots)) {
        check_slots(context, spec, slots.value);
    }
}

}  // namespace nasm_build::inspect::tables
