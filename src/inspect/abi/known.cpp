#include "inspect/abi/known.hpp"

#include <algorithm>
#include <array>

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
            if (*id == methods_of_module) {
                methods(pointer(at + 8));
            } else if ((*id == new_array || *id == old_array) && level < deepest) {
                slots(pointer(at + 8), level + 1);
            }
        }
    }

    void methods(std::uint64_t array) { rows(array, 32, {8}); }

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

    [[nodiscard]] std::vector<std::uint64_t> found() {
        std::sort(found_.begin(), found_.end());
        found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
        return std::move(found_);
    }

private:
    [[nodiscard]] bool take_row() { return rows_++ < most_rows; }

    [[nodiscard]] std::uint64_t pointer(std::uint64_t place) const {
        const auto word = word_at(image_, place);
        return word && word->kind == Word::Kind::address ? word->value : 0;
    }

    void function(std::uint64_t place) {
        if (const std::uint64_t address = pointer(place); address != 0 && is_executable(image_, address)) {
            found_.push_back(address);
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
    std::vector<std::uint64_t> found_;
};

}  // namespace

std::vector<std::uint64_t> table_functions(const Image& image) {
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
