#include "inspect/abi/known.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "inspect/memory.hpp"

namespace nasm_build::inspect::abi {

namespace {

constexpr std::uint64_t most_rows = 4096;

/// Walks the tables as CPython does, and takes what is an address of code. Whether the tables are right is the tables' rules to say.
class Tables {
public:
    explicit Tables(const Image& image) : image_(image) {}

    void definition(std::uint64_t address) {
        // A free-threaded build's PyObject is 16 bytes larger; in the other layout no address of code or table lies there.
        for (const std::uint64_t base : {std::uint64_t{40}, std::uint64_t{56}}) {
            methods(pointer(address + base + 24));
            slots(pointer(address + base + 32), 1);
            for (const unsigned offset : {40U, 48U, 56U}) {
                function(address + base + offset);
            }
        }
    }

    void slots(std::uint64_t array, unsigned level) {
        constexpr std::uint64_t row_size = 16, new_array = 92, old_array = 94, methods_of_module = 103;
        constexpr unsigned deepest = 5;
        for (std::uint64_t at = array; array != 0 && take_row(); at += row_size) {
            const auto id = number_at(image_, at, 2);
            if (!id || *id == 0) {
                return;
            }
            function(at + 8);
            note_claim(*id, at + 8);
            if (*id == methods_of_module) {
                methods(pointer(at + 8));
            } else if ((*id == new_array || *id == old_array) && level < deepest) {
                slots(pointer(at + 8), level + 1);
            }
        }
    }

    void methods(std::uint64_t array) {
        constexpr std::uint64_t row_size = 32;
        for (std::uint64_t at = array; array != 0 && take_row(); at += row_size) {
            const auto name = word_at(image_, at);
            if (!name || name->is_null()) {
                return;
            }
            function(at + 8, parameters_of(number_at(image_, at + 16, 4)));
        }
    }

    void type_spec(std::uint64_t address) {
        constexpr std::uint64_t row_size = 16, getters = 73, type_methods = 64;
        const std::uint64_t array = pointer(address + 24);
        for (std::uint64_t at = array; array != 0 && take_row(); at += row_size) {
            const auto id = number_at(image_, at, 4);
            if (!id || *id == 0) {
                return;
            }
            function(at + 8);
            if (*id == type_methods) {
                methods(pointer(at + 8));
            } else if (*id == getters) {
                rows(pointer(at + 8), 40, {8, 16});
            }
        }
    }

    [[nodiscard]] KnownFromTables found() {
        std::sort(found_.begin(), found_.end(), [](const TableFunction& one, const TableFunction& other) {
            return std::tie(one.address, one.parameters) < std::tie(other.address, other.parameters);
        });
        // The last of an address: with more parameters than it was said elsewhere to have.
        std::vector<TableFunction> kept;
        for (const TableFunction& one : found_) {
            if (!kept.empty() && kept.back().address == one.address) {
                kept.back() = one;
            } else {
                kept.push_back(one);
            }
        }
        return {std::move(kept), goes_without_lock_, goes_with_interpreters_};
    }

private:
    [[nodiscard]] bool take_row() { return rows_++ < most_rows; }

    [[nodiscard]] std::uint64_t pointer(std::uint64_t place) const {
        const auto word = word_at(image_, place);
        return word && word->kind == Word::Kind::address ? word->value : 0;
    }

    void function(std::uint64_t place, std::optional<unsigned> parameters = std::nullopt) {
        if (const std::uint64_t address = pointer(place); address != 0 && is_executable(image_, address)) {
            found_.push_back({address, parameters});
        }
    }

    // The values of Py_mod_gil and Py_mod_multiple_interpreters are small numbers in the place of pointers; Py_MOD_GIL_USED and
    // Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED are 0. From 3.15 on the slots have other ids in arrays of either kind.
    void note_claim(std::uint64_t id, std::uint64_t place) {
        const auto value = number_at(image_, place, 8);
        if (value && *value != 0) {
            goes_with_interpreters_ = goes_with_interpreters_ || id == 3 || id == 86;
            goes_without_lock_ = goes_without_lock_ || id == 4 || id == 87;
        }
    }

    // CPython's Include/methodobject.h: which function type goes with which flags.
    static std::optional<unsigned> parameters_of(std::optional<std::uint64_t> flags) {
        constexpr std::uint64_t varargs = 1, keywords = 2, no_arguments = 4, one_argument = 8, fast = 0x80,
                                method = 0x200;
        if (!flags) {
            return std::nullopt;
        }
        switch (*flags & (varargs | keywords | no_arguments | one_argument | fast | method)) {
            case varargs:
            case no_arguments:
            case one_argument:
                return 2;
            case varargs | keywords:
                return 3;
            case fast:  // in 3.6 with the names of keywords, as the next one
            case fast | keywords:
                return 4;
            case fast | keywords | method:
                return 5;
            default:
                return std::nullopt;
        }
    }

    // An array whose rows begin with a name.
    void rows(std::uint64_t array, std::uint64_t row_size, std::initializer_list<std::uint64_t> functions) {
        for (std::uint64_t at = array; array != 0 && take_row(); at += row_size) {
            const auto name = word_at(image_, at);
            if (!name || name->is_null()) {
                return;
            }
            for (const std::uint64_t offset : functions) {
                function(at + offset);
            }
        }
    }

    const Image& image_;
    std::uint64_t rows_ = 0;
    bool goes_without_lock_ = false;
    bool goes_with_interpreters_ = false;
    std::vector<TableFunction> found_;
};

}  // namespace

KnownFromTables known_from_tables(const Image& image) {
    Tables tables(image);
    for (const TableUse& use : image.entry_code.uses) {
        switch (use.kind) {
            case TableKind::definition:
            case TableKind::definition_at_once:
                tables.definition(use.address);
                break;
            case TableKind::slots:
                tables.slots(use.address, 1);
                break;
            case TableKind::type_spec:
                tables.type_spec(use.address);
                break;
            case TableKind::methods:
                tables.methods(use.address);
                break;
        }
    }
    return tables.found();
}

}  // namespace nasm_build::inspect::abi
