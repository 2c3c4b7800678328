// The walk: from each entry point along every path, into functions of the module, up to calls of CPython's functions.
//
// Paths are followed in the order of their depth, so that the entry point's own code comes before what it calls. A block is
// visited once for each set of table addresses that its function was given: what a helper does with the second type is seen too.
#include "inspect/read/entry_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_set>

#include "inspect/memory.hpp"
#include "inspect/read/code.hpp"

namespace nasm_build::inspect {

namespace code {

Value loaded_from(const Image& image, std::uint64_t address) noexcept {
    const auto word = word_at(image, address);
    if (word && word->kind == Word::Kind::symbol) {
        return {Value::Kind::symbol, 0, word->symbol};
    }
    // An address that code could have replaced by another is no constant.
    const bool is_constant =
        word && word->kind == Word::Kind::address &&
        (!is_writable(image, address) || section_name(image, address).find("got") != std::string::npos);
    return is_constant ? Value{Value::Kind::address, word->value, {}} : Value{};
}

std::optional<Convention> convention_of(const Image& image) noexcept {
    constexpr unsigned rax = 0, rcx = 1, rdx = 2, rbx = 3, rsp = 4, rbp = 5, rsi = 6, rdi = 7, r8 = 8;
    constexpr std::uint32_t kept_by_both = 1U << rbx | 1U << rsp | 1U << rbp | 0xF000U;
    if (image.machine == Machine::x86_64 && image.pointer_bits == 64) {
        return image.format == Format::pe ? Convention{{rcx, rdx, r8}, rax, kept_by_both | 1U << rsi | 1U << rdi}
                                          : Convention{{rdi, rsi, rdx}, rax, kept_by_both};
    }
    if (image.machine == Machine::arm64) {
        return Convention{{0, 1, 2}, 0, 0x1FF80000U};  // x19 to x28
    }
    return std::nullopt;
}

}  // namespace code

namespace {

using code::Flow;
using code::Registers;
using code::Value;

constexpr unsigned deepest = 6;
constexpr unsigned instructions_an_entry = 6000, instructions_of_all = 30'000;
constexpr std::size_t most_uses = 500, most_entries = 32;
constexpr std::uint64_t most_slots = 128;
constexpr unsigned deepest_slot_array = 5;  ///< CPython reads no deeper ones

/// A function of CPython that takes a table, and as which argument.
struct Taker {
    std::string_view name;
    TableKind kind;
    unsigned argument;
};

constexpr auto takers = std::to_array<Taker>({
    {"PyModuleDef_Init", TableKind::definition, 0},
    {"PyModule_FromDefAndSpec2", TableKind::definition, 0},
    {"PyModule_Create2", TableKind::definition_at_once, 0},
    {"PyModule_Create2TraceRefs", TableKind::definition_at_once, 0},
    {"PyType_FromSpec", TableKind::type_spec, 0},
    {"PyType_FromSpecWithBases", TableKind::type_spec, 0},
    {"PyType_FromModuleAndSpec", TableKind::type_spec, 1},
    {"PyType_FromMetaclass", TableKind::type_spec, 2},
    {"PyModule_AddFunctions", TableKind::methods, 1},
});

struct Path {
    std::uint64_t at = 0;
    unsigned depth = 0;
    std::size_t function = 0;  ///< which call of which function it belongs to
    Registers registers{};
};

/// An instruction, and which call of which function it was reached in.
struct Visit {
    std::size_t function = 0;
    std::uint64_t at = 0;
    bool operator==(const Visit&) const = default;
};

struct VisitHash {
    std::size_t operator()(const Visit& visit) const noexcept {
        constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15;
        return static_cast<std::size_t>((visit.at + visit.function * golden_ratio) * golden_ratio >> 20U);
    }
};

class Walk {
public:
    Walk(Image& image, const code::Convention& convention) : image_(image), convention_(convention) {
        visited_.reserve(instructions_an_entry);
    }

    /// Follows one function; `entry` is the entry point from which it was reached.
    void follow(const std::string& entry, std::uint64_t start, bool returns_slots) {
        entry_ = &entry;
        returns_slots_ = returns_slots;
        left_ = std::min(instructions_an_entry, instructions_of_all - std::min(instructions_of_all, used_));
        for (std::deque<Path>& paths : paths_) {
            paths.clear();
        }
        functions_.clear();
        visited_.clear();
        enter(start, 0, {});
        while (std::deque<Path>* const next = left_ > 0 ? shallowest() : nullptr) {
            Path path = next->front();
            next->pop_front();
            walk(path);
        }
    }

private:
    /// The paths that wait at the least depth; nothing when none waits.
    [[nodiscard]] std::deque<Path>* shallowest() {
        const auto found = std::find_if(paths_.begin(), paths_.end(), [](const auto& paths) { return !paths.empty(); });
        return found == paths_.end() ? nullptr : &*found;
    }

    /// Begins a function with what is known of its arguments.
    void enter(std::uint64_t at, unsigned depth, const Registers& registers) {
        const auto known = [&](unsigned index) {
            const Value& value = registers.at(convention_.arguments.at(index));
            return value.kind == Value::Kind::address ? value.address : std::uint64_t{0};
        };
        const std::tuple key{at, known(0), known(1), known(2)};
        if (depth > deepest || !is_executable(image_, at) || !functions_.insert(key).second) {
            return;
        }
        paths_.at(depth).push_back({at, depth, functions_.size(), registers});
    }

    void walk(Path& path) {
        while (left_ > 0) {
            if (!visited_.insert({path.function, path.at}).second || !is_executable(image_, path.at)) {
                return;
            }
            --left_;
            ++used_;
            const code::Step step = image_.machine == Machine::arm64
                                        ? code::step_arm64(image_, path.at, path.registers)
                                        : code::step_x86_64(image_, path.at, path.registers);
            if (step.written.size != 0 && image_.entry_code.written.size() < most_uses) {
                image_.entry_code.written.push_back(step.written);
            }
            const std::uint64_t behind = path.at + step.length;
            switch (step.flow) {
                case Flow::next:
                    break;
                case Flow::call:
                    call(step.target, path);
                    forget_volatile(path.registers);
                    break;
                case Flow::branch:
                    if (step.target.kind == Value::Kind::address) {
                        paths_.at(path.depth)
                            .push_back({step.target.address, path.depth, path.function, path.registers});
                    }
                    break;
                case Flow::jump:
                    if (!jump(step.target, path)) {
                        return;
                    }
                    continue;
                case Flow::end:
                    if (step.returns) {
                        give_back(path);
                    }
                    return;
                case Flow::stuck:
                    return;
            }
            path.at = behind;
        }
    }

    /// What is called, and what the registers hold by then.
    struct Reached {
        std::string_view symbol;
        Registers registers;
    };

    /// Follows the few instructions of a linker's stub, or of a function that only passes its arguments on.
    [[nodiscard]] std::optional<Reached> through_stub(std::uint64_t at, Registers registers) const {
        constexpr int longest_stub = 5;
        for (int i = 0; i < longest_stub && is_executable(image_, at); ++i) {
            const code::Step step = image_.machine == Machine::arm64 ? code::step_arm64(image_, at, registers)
                                                                     : code::step_x86_64(image_, at, registers);
            if (step.flow == Flow::jump && step.target.kind == Value::Kind::symbol) {
                return Reached{step.target.symbol, registers};
            }
            if (step.flow != Flow::next) {
                return std::nullopt;
            }
            at += step.length;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::optional<Reached> reached_by(const Value& target, const Registers& registers) const {
        switch (target.kind) {
            case Value::Kind::symbol:
                return Reached{target.symbol, registers};
            case Value::Kind::address:
                return through_stub(target.address, registers);
            case Value::Kind::unknown:
                break;
        }
        return std::nullopt;
    }

    void call(const Value& target, const Path& path) {
        if (const auto reached = reached_by(target, path.registers)) {
            reach(*reached);
        } else if (target.kind == Value::Kind::address) {
            enter(target.address, path.depth + 1, path.registers);
        }
    }

    /// Whether the path goes on, at the target.
    bool jump(const Value& target, Path& path) {
        if (const auto reached = reached_by(target, path.registers)) {
            reach(*reached);
            return false;
        }
        path.at = target.address;
        return target.kind == Value::Kind::address;
    }

    /// A call of another image's function: does it take a table?
    void reach(const Reached& reached) {
        const auto taker =
            std::find_if(takers.begin(), takers.end(), [&](const Taker& one) { return one.name == reached.symbol; });
        if (taker != takers.end()) {
            use(taker->kind, reached.registers.at(convention_.arguments.at(taker->argument)));
        }
    }

    void give_back(const Path& path) {
        if (returns_slots_ && path.depth == 0) {
            use(TableKind::slots, path.registers.at(convention_.result));
        }
    }

    void use(TableKind kind, const Value& table) {
        auto& uses = image_.entry_code.uses;
        const bool is_known = std::any_of(uses.begin(), uses.end(), [&](const TableUse& one) {
            return one.kind == kind && one.address == table.address && one.entry == *entry_;
        });
        if (table.kind == Value::Kind::address && !is_known && uses.size() < most_uses) {
            uses.push_back({kind, *entry_, table.address});
        }
    }

    void forget_volatile(Registers& registers) const {
        for (unsigned number = 0; number < registers.size(); ++number) {
            if (((convention_.kept >> number) & 1U) == 0) {
                registers.at(number) = {};
            }
        }
    }

    Image& image_;
    const code::Convention& convention_;
    const std::string* entry_ = nullptr;
    bool returns_slots_ = false;
    unsigned left_ = 0;
    unsigned used_ = 0;
    std::array<std::deque<Path>, deepest + 1> paths_;  ///< that wait, by their depth
    std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>> functions_;
    std::unordered_set<Visit, VisitHash> visited_;
};

/// The functions that make or fill the module, in an array of slots of 16 bytes and those nested in it (PEP 820): they make its
/// types.
class SlotFunctions {
public:
    SlotFunctions(const Image& image, std::uint64_t array) : image_(image) { add(array, 1); }

    [[nodiscard]] const std::vector<std::uint64_t>& found() const noexcept { return functions_; }

private:
    void add(std::uint64_t array, unsigned level) {
        constexpr std::uint64_t row_size = 16;
        constexpr unsigned new_array = 92, old_array = 94;
        for (std::uint64_t at = array; rows_left_ != 0; at += row_size) {
            --rows_left_;
            const auto id = number_at(image_, at, 2);
            const auto value = word_at(image_, at + 8);
            if (!id || *id == 0 || !value) {
                return;
            }
            const bool is_create_or_exec = *id == 1 || *id == 2 || *id == 84 || *id == 85;
            const bool is_array = *id == new_array || *id == old_array;
            if (is_create_or_exec && value->kind == Word::Kind::address && is_executable(image_, value->value)) {
                functions_.push_back(value->value);
            } else if (is_array && value->kind == Word::Kind::address && level < deepest_slot_array) {
                add(value->value, level + 1);
            }
        }
    }

    const Image& image_;
    std::uint64_t rows_left_ = most_slots;
    std::vector<std::uint64_t> functions_;
};

/// Where m_slots lies depends on the build, which a reader does not know: in a definition of the other one there is no address
/// of an array there, and at worst a function more is followed.
std::vector<std::uint64_t> functions_of_definition(const Image& image, std::uint64_t definition) {
    constexpr std::uint64_t slots_with_gil = 72, slots_free_threaded = 88;
    std::vector<std::uint64_t> functions;
    for (const std::uint64_t offset : {slots_with_gil, slots_free_threaded}) {
        const auto slots = word_at(image, definition + offset);
        if (slots && slots->kind == Word::Kind::address) {
            const SlotFunctions of_slots(image, slots->value);
            functions.insert(functions.end(), of_slots.found().begin(), of_slots.found().end());
        }
    }
    return functions;
}

// Whether what fills the module may hand over tables: a type's, or functions that come later.
bool hands_over_more(const Image& image) {
    return std::any_of(image.imports.begin(), image.imports.end(), [](const Import& one) {
        return one.name.starts_with("PyType_From") || one.name == "PyModule_AddFunctions";
    });
}

}  // namespace

void follow_entry_points(Image& image) {
    EntryCode& found = image.entry_code;
    if (image.pointer_bits != 64) {
        found.missing =
            fmt::format("the code is for {}, and the tables of 32-bit modules are not read", name_of(image.machine));
        return;
    }
    if (!image.contents.missing.empty()) {
        found.missing = image.contents.missing;
        return;
    }
    const auto convention = code::convention_of(image);
    if (!convention) {
        found.missing = fmt::format("the code is for {}, which is not followed", name_of(image.machine));
        return;
    }
    Walk walk(image, *convention);
    std::size_t entries = 0;
    for (const Export& one : image.exports) {
        const bool is_init = one.name.starts_with("PyInit_") || one.name.starts_with("PyInitU_");
        const bool is_export = one.name.starts_with("PyModExport_") || one.name.starts_with("PyModExportU_");
        if ((is_init || is_export) && ++entries <= most_entries) {
            walk.follow(one.name, one.address, is_export);
        }
    }
    if (!hands_over_more(image)) {
        return;
    }
    const std::vector<TableUse> modules = found.uses;
    for (const TableUse& use : modules) {
        const auto functions = use.kind == TableKind::definition ? functions_of_definition(image, use.address)
                               : use.kind == TableKind::slots    ? SlotFunctions(image, use.address).found()
                                                                 : std::vector<std::uint64_t>{};
        for (const std::uint64_t function : functions) {
            walk.follow(use.entry, function, false);
        }
    }
}

}  // namespace nasm_build::inspect
