// A module's slots: PyModuleDef_Slot (PEP 489), PySlot (PEP 793, PEP 820), and the PyABIInfo in the latter.
#include <fmt/core.h>

#include <algorithm>
#include <map>

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

constexpr std::uint16_t flag_optional = 1, flag_static = 2, known_flags = 7;
constexpr std::uint64_t row_size = 16;

const Slot* find_slot(std::uint64_t number) {
    const auto found =
        std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) { return slot.number == number; });
    return found == slots.end() ? nullptr : &*found;
}

// The second number of a slot, for its first: 84 for 1.
std::uint32_t one_number(const Slot& slot) {
    return slot.number <= 4 ? slot.number + 83 : slot.number;
}

/// The slots of one array that were seen before.
class Seen {
public:
    /// Whether it stands there a second time where it may not.
    bool repeats(const Slot& slot, bool exec_once) {
        const bool once = slot.once || (exec_once && one_number(slot) == 85);
        return ++counts_[one_number(slot)] > 1 && once;
    }
    [[nodiscard]] bool has(std::uint32_t number) const { return counts_.contains(number); }

private:
    std::map<std::uint32_t, unsigned> counts_;
};

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

Array old_array(std::uint64_t address) {
    return {id,
            "the module's slots",
            "PyModuleDef_Slot",
            address,
            row_size,
            {8},
            "slot 0, value 8",
            "write 4 bytes between a slot's number and its value: `dd Py_mod_exec, 0` and then `dq function`"};
}

Array new_array(std::uint64_t address, const std::string& entry) {
    static constexpr std::string_view fields = "sl_id 0, sl_flags 2, sl_reserved 4, its value 8";
    return {id,       "the slots that " + entry + " returns",
            "PySlot", address,
            row_size, {8},
            fields,   "write a slot as `dw id, flags`, `dd 0`, `dq value`"};
}

/// The values of a new array's slots, which say what a definition says.
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

}  // namespace

void check_old_slots(Context& context, std::uint64_t address) {
    context.saw(id);
    const Array array = old_array(address);
    Seen seen;
    for (std::uint64_t row = 0; check_row(context, array, row); ++row) {
        const std::uint64_t at = address + row * row_size;
        const auto number = static_cast<std::int32_t>(*number_at(context.image, at, 4));
        if (number == 0) {
            return;
        }
        const Slot* slot = find_slot(static_cast<std::uint32_t>(number));
        if (slot == nullptr) {
            context.error(
                id,
                fmt::format("{} has the number {}, which is no slot of a module: CPython refuses it with SystemError",
                            row_name(array, row), number),
                "give a Py_mod_ number, and end the array with `times 16 db 0`");
            return;
        }
        if (context.promises_less_than(slot->since)) {
            context.error(
                id,
                fmt::format("{}, {} with the number {}, came with CPython 3.{}; {} refuses it with SystemError",
                            row_name(array, row), slot->name, slot->number, slot->since, audience(context.expected)),
                slot->number >= 84 && slot->number <= 87
                    ? fmt::format("write the older number, {}, which every CPython that has the slot takes",
                                  slot->number - 83)
                    : fmt::format("leave it out, or build for CPython 3.{} and later", slot->since));
        }
        if (seen.repeats(*slot, false)) {
            context.error(
                id,
                fmt::format("{} is a second {}: CPython refuses it with SystemError", row_name(array, row), slot->name),
                "leave one of them out");
        }
        check_value(context, *slot, row_name(array, row), *word_at(context.image, at + 8));
    }
}

void check_new_slots(Context& context, const TableUse& use) {
    context.saw(id);
    const Array array = new_array(use.address, use.entry);
    Seen seen;
    for (std::uint64_t row = 0; check_row(context, array, row); ++row) {
        const std::uint64_t at = use.address + row * row_size;
        const auto number = *number_at(context.image, at, 2);
        const auto flags = static_cast<std::uint16_t>(*number_at(context.image, at + 2, 2));
        const std::string what = row_name(array, row);
        if (number == 0) {
            if ((flags & flag_optional) != 0) {
                context.error(id,
                              what + " ends them with the flag PySlot_OPTIONAL: CPython refuses it with SystemError",
                              "end them with `dq 0, 0`");
            }
            break;
        }
        const Slot* slot = find_slot(number);
        if (slot == nullptr) {
            if ((flags & flag_optional) != 0) {
                continue;
            }
            context.error(
                id,
                fmt::format("{} has the number {}, which is no slot of a module: CPython refuses it with SystemError",
                            what, number),
                "give a Py_mod_ number, and end the array with `dq 0, 0`");
            return;
        }
        if ((flags & ~known_flags) != 0 || *number_at(context.image, at + 4, 4) != 0) {
            context.warning(
                id,
                fmt::format("{} ({}) has bits set in sl_flags or sl_reserved that mean nothing yet (PEP 820)", what,
                            slot->name),
                "write `dw id, flags` and then `dd 0`");
        }
        if (slot->number == 103 && (flags & flag_static) == 0) {
            context.error(
                id,
                fmt::format("{} (Py_mod_methods) lacks the flag PySlot_STATIC: CPython refuses it with SystemError",
                            what),
                "write `dw Py_mod_methods, PySlot_STATIC`");
        }
        if (seen.repeats(*slot, true)) {
            context.error(id, fmt::format("{} is a second {}: CPython refuses it with SystemError", what, slot->name),
                          "leave one of them out");
        }
        const Word value = *word_at(context.image, at + 8);
        check_value(context, *slot, what, value);
        check_meaning(context, *slot, what, value);
    }
    const bool may_be_nested = seen.has(92) || seen.has(94);
    const auto& said = context.verdict.not_checked;
    const bool is_cut = std::any_of(said.begin(), said.end(), [](const NotChecked& one) { return one.rule == id; });
    if (!seen.has(109) && !may_be_nested && !is_cut) {
        context.error(
            id,
            fmt::format("{} lack Py_mod_abi, which is mandatory: CPython refuses them with SystemError", array.name),
            "add `dw Py_mod_abi, PySlot_STATIC`, `dd 0`, `dq info` with a PyABIInfo (PyABIInfo_VAR in C)");
    }
}

void check_abi_info(Context& context, std::uint64_t address) {
    constexpr auto abi = rule::abi_info;
    constexpr std::uint64_t size = 12, stable = 1, gil = 2, free_threaded = 4;
    context.saw(abi);
    if (!is_mapped(context.image, address, size) || !pointers_in(context.image, address, address + size).empty()) {
        context.error(abi, "the module's PyABIInfo is not 12 bytes of numbers",
                      "write `db 1, 0`, `dw flags`, `dd build_version, abi_version`");
        return;
    }
    const auto major = *number_at(context.image, address, 1);
    const auto flags = *number_at(context.image, address + 2, 2);
    const auto version = *number_at(context.image, address + 8, 4);
    if (major == 0) {
        return;  // says nothing, and CPython asks nothing
    }
    if (major > 1) {
        context.error(abi,
                      fmt::format("the module's PyABIInfo has the major version {}: CPython knows 1 alone and ends the "
                                  "import with ImportError",
                                  major),
                      "begin it with `db 1, 0`");
        return;
    }
    if (!context.expected.python) {
        return;
    }
    const toolchain::PythonBuild& python = *context.expected.python;
    const bool for_any = python.abi == toolchain::Abi::abi3t;
    const bool lacks_gil = (flags & gil) == 0 && (flags & free_threaded) != 0;
    const bool lacks_threads = (flags & free_threaded) == 0 && (flags & gil) != 0;
    if ((lacks_gil && (for_any || !python.free_threaded)) || (lacks_threads && (for_any || python.free_threaded))) {
        context.error(
            abi,
            fmt::format("the module's PyABIInfo says that it is for {} builds alone; the module is for {}",
                        lacks_gil ? "free-threaded" : "GIL", audience(context.expected)),
            for_any ? "give PyABIInfo_FREETHREADING_AGNOSTIC as its flags"
                    : fmt::format("give PyABIInfo_{} as its flags", python.free_threaded ? "FREETHREADED" : "GIL"));
    }
    // The first CPython that reads it is 3.15.
    const unsigned oldest = std::max(python.version.minor, 15U);
    const auto minor = static_cast<unsigned>((version >> 16U) & 0xFFU);
    const bool is_stable = (flags & stable) != 0;
    const bool is_one_version = python.abi == toolchain::Abi::version_specific;
    const bool is_too_new = minor > oldest;
    const bool is_other = !is_stable && is_one_version && python.version.minor >= 15 && minor != oldest;
    const bool is_for_one = !is_stable && !is_one_version;
    if (version != 0 && (is_too_new || is_other)) {
        context.error(
            abi,
            fmt::format("the module's PyABIInfo says that it is built for the ABI of CPython 3.{}; the module is for "
                        "{}",
                        minor, audience(context.expected)),
            fmt::format("write 0x{:08x} as its abi_version", 0x03000000U | oldest << 16U));
    } else if (version != 0 && is_for_one) {
        context.error(
            abi,
            fmt::format("the module's PyABIInfo lacks PyABIInfo_STABLE, so that CPython 3.{} alone takes it; the "
                        "module is for {}",
                        minor, audience(context.expected)),
            "add PyABIInfo_STABLE to its flags");
    }
}

}  // namespace nasm_build::inspect::tables
