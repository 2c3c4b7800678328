// PyModuleDef: what PyModuleDef_Init and PyModule_Create2 are given.
#include <fmt/core.h>

#include <algorithm>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/tables.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect::tables {

namespace {

constexpr auto id = rule::module_definition;
constexpr const char* what = "the module's definition";
constexpr const char* use_macro =
    "let `py_module` of Python.inc write it, or lay it out as PyModuleDef of this CPython's headers";

/// Whether addresses lie only where this layout has fields for them, and one where it has the name.
bool fits(const Image& image, std::uint64_t address, const DefinitionLayout& layout) {
    const auto allowed = {layout.type(),    layout.init(),  layout.copy(),     layout.name(),  layout.doc(),
                          layout.methods(), layout.slots(), layout.traverse(), layout.clear(), layout.free()};
    const auto pointers = pointers_in(image, address, address + layout.size());
    return std::all_of(pointers.begin(), pointers.end(), [&](const Pointer& pointer) {
        return std::find(allowed.begin(), allowed.end(), pointer.place - address) != allowed.end();
    });
}

bool has_address_at(const Image& image, std::uint64_t place) {
    const auto word = word_at(image, place);
    return word && (word->kind == Word::Kind::address || word->kind == Word::Kind::symbol);
}

/// The layout to read it by: that of the promised CPython, otherwise the one that it has itself.
DefinitionLayout layout_of(const Context& context, std::uint64_t address) {
    if (const auto known = context.layout()) {
        return *known;
    }
    const DefinitionLayout with_gil{false};
    const DefinitionLayout free_threaded{true};
    return fits(context.image, address, with_gil) || !fits(context.image, address, free_threaded) ? with_gil
                                                                                                  : free_threaded;
}

bool is_blank(const Image& image, std::uint64_t address, std::uint64_t size) {
    for (std::uint64_t into = 0; into < size; into += 8) {
        const auto word = word_at(image, address + into);
        if (!word || !word->is_null()) {
            return false;
        }
    }
    return true;
}

/// An address where no field is one: another build's layout, or a field of the wrong width before it.
bool check_layout(Context& context, std::uint64_t address, const DefinitionLayout& layout) {
    if (fits(context.image, address, layout)) {
        return true;
    }
    const DefinitionLayout other{!layout.free_threaded};
    if (fits(context.image, address, other) && has_address_at(context.image, address + other.name())) {
        context.error(id,
                      fmt::format("{} is laid out for a {} build, with m_name at {}; {} has it at {}", what,
                                  other.free_threaded ? "free-threaded" : "GIL", other.name(),
                                  audience(context.expected), layout.name()),
                      layout.free_threaded
                          ? "assemble for the free-threaded build (`-DPy_GIL_DISABLED`), or build with its headers"
                          : "assemble without `-DPy_GIL_DISABLED`, or build with the headers of the GIL build");
        return false;
    }
    for (const Pointer& pointer : pointers_in(context.image, address, address + layout.size())) {
        const std::uint64_t offset = pointer.place - address;
        const bool is_aligned = offset % 8 == 0;
        if (!is_aligned || offset == layout.index() || offset == layout.state_size() || offset < layout.type()) {
            context.error(
                id,
                fmt::format("{} has an address at offset {}, where PyModuleDef has no field for one (m_name {}, "
                            "m_doc {}, m_size {}, m_methods {}, m_slots {})",
                            what, offset, layout.name(), layout.doc(), layout.state_size(), layout.methods(),
                            layout.slots()),
                use_macro);
            return false;
        }
    }
    return false;
}

bool check_memory(Context& context, const TableUse& use, const DefinitionLayout& layout) {
    const bool is_inside = is_mapped(context.image, use.address, layout.size());
    if (!is_inside) {
        context.error(
            id,
            fmt::format("{} handed over by {} lies at 0x{:x}, and {} bytes from there on are not in the module", what,
                        use.entry, use.address, layout.size()),
            use_macro);
        return false;
    }
    if (!is_writable(context.image, use.address)) {
        const std::string section = section_name(context.image, use.address);
        context.error(
            id,
            fmt::format("{} lies in {}, which is read-only when CPython writes its m_base: the import crashes", what,
                        section.empty() ? "memory" : section),
            "put `section .data` before it");
        return false;
    }
    return true;
}

void check_size(Context& context, const TableUse& use, const DefinitionLayout& layout) {
    constexpr std::int64_t too_much = std::int64_t{1} << 40U;
    const auto size = static_cast<std::int64_t>(*number_at(context.image, use.address + layout.state_size(), 8));
    if (size < 0 && use.kind == TableKind::definition) {
        context.error(id,
                      fmt::format("m_size of {} is {}, and CPython refuses a negative one from PyModuleDef_Init with "
                                  "SystemError",
                                  what, size),
                      "write 0, or the bytes of state that the module wants");
    } else if (size > too_much) {
        context.error(id, fmt::format("m_size of {} is {}: no machine has so much memory", what, size),
                      "write 0, or the bytes of state that the module wants");
    }
}

void check_fields(Context& context, const TableUse& use, const DefinitionLayout& layout) {
    const auto field = [&](std::uint64_t offset) { return *word_at(context.image, use.address + offset); };
    const auto named = [](const char* name) { return fmt::format("{}: {}", what, name); };
    if (const Word index = field(layout.index()); !index.is_null()) {
        context.error(
            id,
            fmt::format("m_base.m_index of {} is {}, not 0: PyModuleDef_Init takes it for one that is ready, and "
                        "leaves it without a type",
                        what, index.value),
            "begin it with `PyModuleDef_HEAD_INIT`, or write zeros after ob_refcnt");
    }
    const bool at_once = use.kind == TableKind::definition_at_once;
    if (const Word name = field(layout.name()); !name.is_null()) {
        check_text(context, id, named("m_name"), name);
    } else if (at_once) {
        context.error(id, fmt::format("{} has no m_name: PyModule_Create2 crashes", what),
                      "write the address of the module's name there");
    }
    if (const Word doc = field(layout.doc()); !doc.is_null()) {
        check_text(context, id, named("m_doc"), doc);
    }
    check_size(context, use, layout);
    for (const auto& [offset, name] :
         {std::pair{layout.traverse(), "m_traverse"}, {layout.clear(), "m_clear"}, {layout.free(), "m_free"}}) {
        if (const Word function = field(offset); !function.is_null()) {
            check_function(context, id, named(name), function);
        }
    }
    if (const Word methods = field(layout.methods());
        !methods.is_null() && check_table(context, id, named("m_methods"), methods)) {
        check_methods(context, "the module's methods", methods.value, false);
    }
    const Word slots = field(layout.slots());
    if (slots.is_null()) {
        return;
    }
    if (at_once) {
        context.error(
            id,
            fmt::format("{} has m_slots and is given to PyModule_Create2, which refuses that with SystemError", what),
            "call PyModuleDef_Init instead, or write 0 as m_slots");
    } else if (check_table(context, id, named("m_slots"), slots)) {
        check_old_slots(context, slots.value);
    }
}

}  // namespace

void check_definition(Context& context, const TableUse& use) {
    const DefinitionLayout layout = layout_of(context, use.address);
    const bool is_opaque = context.expected.python && context.expected.python->abi == toolchain::Abi::abi3t;
    if (is_opaque) {
        context.not_checked(id, "abi3t has no PyModuleDef (PEP 803)");
        return;
    }
    if (is_written_by_code(context.image, use.address + layout.index(), use.address + layout.size()) ||
        (is_mapped(context.image, use.address, layout.size()) && is_writable(context.image, use.address) &&
         is_blank(context.image, use.address, layout.size()))) {
        context.not_checked(id, "the definition is filled at run time");
        return;
    }
    context.saw(id);
    if (check_memory(context, use, layout) && check_layout(context, use.address, layout)) {
        check_fields(context, use, layout);
    }
}

}  // namespace nasm_build::inspect::tables
