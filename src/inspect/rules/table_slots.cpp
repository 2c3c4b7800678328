// A module's slots: PyModuleDef_Slot (PEP 489), PySlot (PEP 793), and the arrays nested in either (PEP 820).
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/tables.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect::tables {

namespace {

constexpr auto id = rule::module_slots;

// What is known of a slot of modules. From 3.15 on one numbering serves modules and types (PEP 820), and the first four have a
// second number.
struct Slot {
    std::uint32_t number = 0;
    std::string_view name;
    unsigned since = 5;  ///< the minor version of CPython
    bool is_function = false;
    bool once = false;
    bool never_null = false;
};

constexpr auto slots = std::to_array<Slot>({
    {1, "Py_mod_create", 5, true, true, false},
    {2, "Py_mod_exec", 5, true, false, true},
    {3, "Py_mod_multiple_interpreters", 12, false, true, false},
    {4, "Py_mod_gil", 13, false, true, false},
    {84, "Py_mod_create", 15, true, true, false},
    {85, "Py_mod_exec", 15, true, false, true},
    {86, "Py_mod_multiple_interpreters", 15, false, true, false},
    {87, "Py_mod_gil", 15, false, true, false},
    {92, "Py_slot_subslots", 15, false, false, false},
    {94, "Py_mod_slots", 15, false, false, false},
    {100, "Py_mod_name", 15, false, true, true},
    {101, "Py_mod_doc", 15, false, false, true},
    {102, "Py_mod_state_size", 15, false, false, false},
    {103, "Py_mod_methods", 15, false, true, true},
    {104, "Py_mod_state_traverse", 15, true, false, true},
    {105, "Py_mod_state_clear", 15, true, false, true},
    {106, "Py_mod_state_free", 15, true, false, true},
    {109, "Py_mod_abi", 15, false, false, true},
    {110, "Py_mod_token", 15, false, false, true},
});

constexpr std::uint32_t slot_exec = 85, slot_new_array = 92, slot_old_array = 94, slot_abi = 109;
constexpr std::uint16_t flag_optional = 1, flag_static = 2, known_flags = 7;
constexpr std::uint64_t row_size = 16;
constexpr unsigned deepest_level = 5;  ///< of nested arrays, the outermost among them

const Slot* find_slot(std::uint64_t number) {
    const auto found =
        std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) { return slot.number == number; });
    return found == slots.end() ? nullptr : &*found;
}

// The second number of a slot, for its first: 84 for 1.
std::uint32_t one_number(const Slot& slot) {
    return slot.number <= 4 ? slot.number + 83 : slot.number;
}

/// Whether its value is another array of slots.
bool is_array(const Slot& slot) {
    return slot.number == slot_new_array || slot.number == slot_old_array;
}

void check_value(Context& context, const Slot& slot, const std::string& what, const Word& value) {
    if (value.is_null()) {
        if (slot.never_null) {
            context.error(id, fmt::format("{} ({}) is null: the import fails", what, slot.name),
                          "write the address that it is meant to have, or leave the slot out");
        }
    } else if (slot.is_function) {
        check_function(context, id, fmt::format("{} ({})", what, slot.name), value);
    }
}

Array old_array(std::string name, std::uint64_t address) {
    return {id,
            std::move(name),
            "PyModuleDef_Slot",
            address,
            row_size,
            {8},
            "slot 0, value 8",
            "write 4 bytes between a slot's number and its value: `dd Py_mod_exec, 0` and then `dq function`"};
}

Array new_array(std::string name, std::uint64_t address) {
    return {id,
            std::move(name),
            "PySlot",
            address,
            row_size,
            {8},
            "sl_id 0, sl_flags 2, sl_reserved 4, its value 8",
            "write a slot as `dw id, flags`, `dd 0`, `dq value`"};
}

/// The values of the slots of 3.15, which say what a definition says.
void check_meaning(Context& context, const Slot& slot, const std::string& what, const Word& value) {
    switch (slot.number) {
        case 100:
        case 101:
            if (!value.is_null()) {
                check_text(context, id, fmt::format("{} ({})", what, slot.name), value);
            }
            break;
        case 102:
            if (value.kind == Word::Kind::number && static_cast<std::int64_t>(value.value) < 0) {
                context.error(id,
                              fmt::format("{} (Py_mod_state_size) is {}: CPython refuses it with SystemError", what,
                                          static_cast<std::int64_t>(value.value)),
                              "write the bytes of state that the module wants");
            }
            break;
        case 103:
            if (!value.is_null() && check_table(context, id, fmt::format("{} (Py_mod_methods)", what), value)) {
                check_methods(context, "the module's methods", value.value, false);
            }
            break;
        case 109:
            if (!value.is_null() && check_table(context, id, fmt::format("{} (Py_mod_abi)", what), value)) {
                check_abi_info(context, value.value);
            }
            break;
        default:
            break;
    }
}

/// `within_definition`: it is an array that a PyModuleDef's slots include.
void check_flags(Context& context, const Slot& slot, const std::string& what, std::uint64_t at,
                 bool within_definition) {
    const auto flags = static_cast<std::uint16_t>(*number_at(context.image, at + 2, 2));
    if ((flags & ~known_flags) != 0 || *number_at(context.image, at + 4, 4) != 0) {
        context.warning(id,
                        fmt::format("{} ({}) has bits set in sl_flags or sl_reserved that mean nothing yet (PEP 820)",
                                    what, slot.name),
                        "write `dw id, flags` and then `dd 0`");
    }
    if ((slot.number == 103 || within_definition) && (flags & flag_static) == 0) {
        context.error(
            id,
            fmt::format("{} ({}) lacks the flag PySlot_STATIC: CPython refuses it with SystemError", what, slot.name),
            fmt::format("write `dw {}, PySlot_STATIC`", slot.name));
    }
}

/// One walk over an array of slots and the arrays nested in it (PEP 820), which count as one: what may stand once may stand once
/// in all of them.
class SlotWalk {
public:
    /// `is_new`: the outermost array is one of PySlot, which takes a second Py_mod_exec ill.
    SlotWalk(Context& context, bool is_new) : context_(context), is_new_(is_new) { context.saw(id); }

    /// `level` is 1 for the outermost array.
    void walk_old(const Array& array, unsigned level);
    void walk_new(const Array& array, unsigned level);

    [[nodiscard]] bool saw(std::uint32_t number) const { return counts_.contains(number); }
    /// Whether every array was read to its end, so that what was not seen is not there.
    [[nodiscard]] bool read_all() const { return read_all_; }

private:
    /// The slot of that number; nothing for an unknown one, which is told of.
    const Slot* known_slot(const std::string& what, std::int64_t number, std::string_view end);
    void check_age(const Slot& slot, const std::string& what);
    void check_repeated(const Slot& slot, const std::string& what);
    void enter(const Slot& slot, const std::string& what, const Word& value, unsigned level);
    void take(const Slot& slot, const std::string& what, const Word& value, unsigned level);

    Context& context_;
    bool is_new_;
    bool read_all_ = true;
    std::map<std::uint32_t, unsigned> counts_;
};

const Slot* SlotWalk::known_slot(const std::string& what, std::int64_t number, std::string_view end) {
    const Slot* const slot = number < 0 ? nullptr : find_slot(static_cast<std::uint64_t>(number));
    if (slot == nullptr) {
        context_.error(
            id,
            fmt::format("{} has the number {}, which is no slot of a module: CPython refuses it with SystemError", what,
                        number),
            fmt::format("give a Py_mod_ number, and end the array with `{}`", end));
        read_all_ = false;
    }
    return slot;
}

void SlotWalk::check_age(const Slot& slot, const std::string& what) {
    if (context_.promises_less_than(slot.since)) {
        context_.error(id,
                       fmt::format("{}, {} with the number {}, came with CPython 3.{}; {} refuses it with SystemError",
                                   what, slot.name, slot.number, slot.since, audience(context_.expected)),
                       slot.number >= 84 && slot.number <= 87
                           ? fmt::format("write the older number, {}, which every CPython that has the slot takes",
                                         slot.number - 83)
                           : fmt::format("leave it out, or build for CPython 3.{} and later", slot.since));
    }
}

void SlotWalk::check_repeated(const Slot& slot, const std::string& what) {
    const bool once = slot.once || (is_new_ && one_number(slot) == slot_exec);
    if (++counts_[one_number(slot)] > 1 && once) {
        context_.error(id, fmt::format("{} is a second {}: CPython refuses it with SystemError", what, slot.name),
                       "leave one of them out");
    }
}

void SlotWalk::enter(const Slot& slot, const std::string& what, const Word& value, unsigned level) {
    if (value.is_null()) {
        return;  // CPython passes it over
    }
    if (level >= deepest_level) {
        context_.error(id,
                       fmt::format("{} ({}) nests arrays of slots deeper than {}: CPython refuses it with SystemError",
                                   what, slot.name, deepest_level),
                       "write the slots into one of the outer arrays");
        read_all_ = false;
        return;
    }
    if (!check_table(context_, id, fmt::format("{} ({})", what, slot.name), value)) {
        read_all_ = false;
        return;
    }
    const std::string name = fmt::format("the slots in {}", what);
    if (slot.number == slot_old_array) {
        walk_old(old_array(name, value.value), level + 1);
    } else {
        walk_new(new_array(name, value.value), level + 1);
    }
}

void SlotWalk::take(const Slot& slot, const std::string& what, const Word& value, unsigned level) {
    if (is_array(slot)) {
        enter(slot, what, value, level);
        return;
    }
    check_repeated(slot, what);
    check_value(context_, slot, what, value);
    check_meaning(context_, slot, what, value);
}

void SlotWalk::walk_old(const Array& array, unsigned level) {
    for (std::uint64_t row = 0; check_row(context_, array, row); ++row) {
        const std::uint64_t at = array.address + row * row_size;
        const std::string what = row_name(array, row);
        const auto number = static_cast<std::int32_t>(*number_at(context_.image, at, 4));
        if (number == 0) {
            return;
        }
        const Slot* const slot = known_slot(what, number, "times 16 db 0");
        if (slot == nullptr) {
            return;
        }
        const Word value = *word_at(context_.image, at + 8);
        check_age(*slot, what);
        take(*slot, what, value, level);
    }
    read_all_ = false;
}

void SlotWalk::walk_new(const Array& array, unsigned level) {
    for (std::uint64_t row = 0; check_row(context_, array, row); ++row) {
        const std::uint64_t at = array.address + row * row_size;
        const std::string what = row_name(array, row);
        const auto number = *number_at(context_.image, at, 2);
        const auto flags = static_cast<std::uint16_t>(*number_at(context_.image, at + 2, 2));
        const bool is_optional = (flags & flag_optional) != 0;
        if (number == 0) {
            if (is_optional) {
                context_.error(id,
                               what + " ends them with the flag PySlot_OPTIONAL: CPython refuses it with SystemError",
                               "end them with `dq 0, 0`");
            }
            return;
        }
        if (is_optional && find_slot(number) == nullptr) {
            continue;
        }
        const Slot* const slot = known_slot(what, static_cast<std::int64_t>(number), "dq 0, 0");
        if (slot == nullptr) {
            return;
        }
        const Word value = *word_at(context_.image, at + 8);
        check_flags(context_, *slot, what, at, !is_new_ && is_array(*slot) && !value.is_null());
        take(*slot, what, value, level);
    }
    read_all_ = false;
}

}  // namespace

void check_old_slots(Context& context, std::uint64_t address) {
    SlotWalk(context, false).walk_old(old_array("the module's slots", address), 1);
}

void check_new_slots(Context& context, const TableUse& use) {
    const Array array = new_array("the slots that " + use.entry + " returns", use.address);
    SlotWalk walk(context, true);
    walk.walk_new(array, 1);
    if (walk.read_all() && !walk.saw(slot_abi)) {
        context.error(
            id,
            fmt::format("{} lack Py_mod_abi, which is mandatory: CPython refuses them with SystemError", array.name),
            "add `dw Py_mod_abi, PySlot_STATIC`, `dd 0`, `dq info` with a PyABIInfo (PyABIInfo_VAR in C)");
    }
}

}  // namespace nasm_build::inspect::tables
