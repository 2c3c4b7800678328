// Tables whose rows begin with a name: PyMethodDef, PyMemberDef and PyGetSetDef.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/tables.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect::tables {

namespace {

// METH_ flags of methodobject.h.
constexpr unsigned varargs = 1, keywords = 2, noargs = 4, o = 8, of_class = 0x10, of_nothing = 0x20, fastcall = 0x80,
                   with_class = 0x200;
constexpr unsigned ways = varargs | keywords | noargs | o | fastcall | with_class;

std::string flag_names(unsigned flags) {
    std::string text;
    for (const auto& [bit, name] : {std::pair{varargs, "METH_VARARGS"},
                                    {keywords, "METH_KEYWORDS"},
                                    {noargs, "METH_NOARGS"},
                                    {o, "METH_O"},
                                    {of_class, "METH_CLASS"},
                                    {of_nothing, "METH_STATIC"},
                                    {fastcall, "METH_FASTCALL"},
                                    {with_class, "METH_METHOD"}}) {
        if ((flags & bit) != 0) {
            text += text.empty() ? name : fmt::format(" | {}", name);
        }
    }
    return text.empty() ? fmt::format("0x{:x}", flags) : text;
}

/// The combinations that PyCMethod_New and PyDescr_NewMethod take.
bool names_a_way(unsigned flags) noexcept {
    switch (flags & ways) {
        case varargs:
        case varargs | keywords:
        case noargs:
        case o:
        case fastcall:
        case fastcall | keywords:
        case with_class | fastcall | keywords:
            return true;
        default:
            return false;
    }
}

// Calls `visit` with each row's address, its name for a message (`row 3 of the module's methods, add`) and the name it
// begins with.
template <typename Visit>
void for_each_row(Context& context, const Array& array, Visit visit) {
    context.saw(array.rule);
    for (std::uint64_t row = 0;; ++row) {
        const auto name = named_row(context, array, row);
        if (!name) {
            return;
        }
        visit(array.address + row * array.row_size, fmt::format("{}, {}", row_name(array, row), *name), *name);
    }
}

void check_flags(Context& context, const std::string& what, unsigned flags, bool of_type) {
    constexpr auto id = rule::method_table;
    if (!names_a_way(flags)) {
        context.error(
            id,
            fmt::format("{} has the flags {}, which name no way to be called: the import ends with SystemError", what,
                        flag_names(flags)),
            "give METH_NOARGS, METH_O, METH_VARARGS or METH_FASTCALL, the last two also with METH_KEYWORDS");
    } else if (!of_type && (flags & (of_class | of_nothing)) != 0) {
        context.error(
            id,
            fmt::format("{} has the flags {}: a module's function can have neither METH_CLASS nor METH_STATIC, and the "
                        "import ends with ValueError",
                        what, flag_names(flags)),
            "leave METH_CLASS and METH_STATIC out");
    } else if (!of_type && (flags & with_class) != 0) {
        context.error(
            id,
            fmt::format("{} has METH_METHOD, which a function without a class cannot have: the import ends with "
                        "SystemError",
                        what),
            "give METH_FASTCALL | METH_KEYWORDS");
    } else if ((flags & of_class) != 0 && (flags & of_nothing) != 0) {
        context.error(id, fmt::format("{} has METH_CLASS and METH_STATIC: the type is refused with ValueError", what),
                      "give one of the two");
    }
}

/// A null function in memory that can be written may still be filled in before it is called.
void check_method_function(Context& context, const std::string& what, std::uint64_t place) {
    constexpr auto id = rule::method_table;
    const Word function = *word_at(context.image, place);
    if (!function.is_null()) {
        check_function(context, id, what + ": ml_meth", function);
    } else if (is_writable(context.image, place)) {
        context.warning(id,
                        fmt::format("{} has a null function, unless something fills it in before it is called", what),
                        "write the function's label as ml_meth");
    } else {
        context.error(id, fmt::format("{} has a null function: a call of it fails or crashes", what),
                      "write the function's label as ml_meth");
    }
}

bool is_member_type(std::uint64_t type) noexcept {
    constexpr std::uint64_t last = 20, gap = 15;
    return type <= last && type != gap;
}

/// `__dictoffset__` and the like say where something is, and count from the end when they are negative.
bool is_special(std::string_view name) noexcept {
    return name == "__dictoffset__" || name == "__weaklistoffset__" || name == "__vectorcalloffset__";
}

void check_member(Context& context, const std::string& what, std::uint64_t at, std::int64_t basic_size,
                  std::int64_t item_size) {
    constexpr auto id = rule::attribute_table;
    constexpr std::uint64_t relative = 8;
    const auto type = *number_at(context.image, at + 8, 4);
    const auto offset = static_cast<std::int64_t>(*number_at(context.image, at + 16, 8));
    const auto flags = *number_at(context.image, at + 24, 4);
    if (!is_member_type(type)) {
        context.error(
            id, fmt::format("{} has the type {}, which is no Py_T_ number: reading it raises SystemError", what, type),
            "give one of the Py_T_ numbers, as 4 bytes and 4 bytes of padding");
    }
    if (offset < 0) {
        context.error(id, fmt::format("{} has the offset {}, which lies before the object", what, offset),
                      "give the field's offset in the object's struct");
    }
    if ((flags & relative) != 0) {
        if (context.promises_less_than(12)) {
            context.error(
                id,
                fmt::format("{} has Py_RELATIVE_OFFSET, which came with CPython 3.12; {} takes the offset from the "
                            "object's beginning",
                            what, audience(context.expected)),
                "give the offset from the object's beginning, or build for CPython 3.12 and later");
        } else if (basic_size >= 0) {
            context.error(
                id,
                fmt::format("{} has Py_RELATIVE_OFFSET, and the type's basicsize is not negative: CPython refuses it "
                            "with SystemError",
                            what),
                "write what the type adds to its base as a negative basicsize (PEP 697)");
        }
    } else if (basic_size > 0 && item_size == 0 && offset >= basic_size) {
        context.warning(
            id, fmt::format("{} has the offset {}, beyond the {} bytes of the object", what, offset, basic_size),
            "give the field's offset in the object's struct");
    }
}

}  // namespace

void check_methods(Context& context, const std::string& name, std::uint64_t address, bool of_type) {
    constexpr auto id = rule::method_table;
    constexpr std::uint64_t row_size = 32;
    const Array array{id,
                      name,
                      "PyMethodDef",
                      address,
                      row_size,
                      {0, 8, 24},
                      "ml_name 0, ml_meth 8, ml_flags 16, ml_doc 24",
                      "write 4 bytes between ml_flags and ml_doc, `dd METH_O, 0`, or use `py_method` of Python.inc"};
    std::set<std::string_view> names;
    for_each_row(context, array, [&](std::uint64_t at, const std::string& what, std::string_view method) {
        check_method_function(context, what, at + 8);
        check_flags(context, what, static_cast<unsigned>(*number_at(context.image, at + 16, 4)), of_type);
        const Word doc = *word_at(context.image, at + 24);
        if (!doc.is_null() && doc.kind != Word::Kind::address && doc.kind != Word::Kind::symbol) {
            context.error(id,
                          fmt::format("{}: ml_doc is the number 0x{:x}, not the address of a text", what, doc.value),
                          std::string(array.fix));
        }
        if (method != "?" && !names.insert(method).second) {
            context.warning(id,
                            fmt::format("{} has a name that another row has, and CPython keeps the {} one", what,
                                        of_type ? "first" : "last"),
                            "leave one of them out, or give it another name");
        }
    });
}

void check_members(Context& context, const std::string& name, std::uint64_t address, std::int64_t basic_size,
                   std::int64_t item_size) {
    constexpr auto id = rule::attribute_table;
    constexpr std::uint64_t row_size = 40;
    const Array array{id,
                      name,
                      "PyMemberDef",
                      address,
                      row_size,
                      {0, 32},
                      "name 0, type 8, offset 16, flags 24, doc 32",
                      "write 4 bytes after the type and after the flags, or use `py_member` of Python.inc"};
    for_each_row(context, array, [&](std::uint64_t at, const std::string& what, std::string_view member) {
        if (!is_special(member)) {
            check_member(context, what, at, basic_size, item_size);
        }
    });
}

void check_attributes(Context& context, const std::string& name, std::uint64_t address) {
    constexpr auto id = rule::attribute_table;
    constexpr std::uint64_t row_size = 40;
    const Array array{id,
                      name,
                      "PyGetSetDef",
                      address,
                      row_size,
                      {0, 8, 16, 24, 32},
                      "name 0, get 8, set 16, doc 24, closure 32",
                      "write five words a row, or use `py_attribute` of Python.inc"};
    for_each_row(context, array, [&](std::uint64_t at, const std::string& what, std::string_view) {
        for (const auto& [offset, field] : {std::pair{std::uint64_t{8}, "get"}, {std::uint64_t{16}, "set"}}) {
            const Word function = *word_at(context.image, at + offset);
            if (!function.is_null()) {
                check_function(context, id, fmt::format("{}: {}", what, field), function);
            }
        }
    });
}

}  // namespace nasm_build::inspect::tables
