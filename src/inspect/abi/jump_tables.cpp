// Where a jump through a table leads: gcc's and clang's 4-byte distances, MSVC's addresses from the image's base, 8-byte addresses.
#include <algorithm>

#include "inspect/abi/analysis.hpp"
#include "inspect/abi/values.hpp"
#include "inspect/memory.hpp"

namespace nasm_build::inspect::abi {

namespace {

constexpr std::uint64_t most_table_entries = 4096;

}  // namespace

std::optional<std::int64_t> Analysis::table_of(const Memory& memory, const State& state) {
    if (!memory.is_used || memory.index == Register::none) {
        return std::nullopt;
    }
    const Value base = memory.base == Register::none ? Value::constant(0) : state.at(memory.base);
    return base.kind == Value::Kind::constant ? std::optional(sum(base, memory.displacement).offset) : std::nullopt;
}

// Whether a table may end earlier than its index says. Compilers leave out the entries of numbers that they know never to come,
// though seven bits of a word could hold them; people who mask an index have an entry for each.
bool Analysis::is_open(const Value& target) const {
    const bool is_in_doubt = (target.residue & Value::table_in_doubt) != 0;
    return target.number == 0 || (is_in_doubt && !function_.is_assembled);
}

bool Analysis::jump_by_table(const Instruction& instruction, const State& state) {
    Value target;
    const Memory& memory = instruction.memory;
    if (instruction.source != Register::none) {
        target = state.at(instruction.source);
    } else if (const auto table = table_of(memory, state); table && memory.scale == 8) {
        target = from_table(Value::Kind::table_pointer, state.at(memory.index), 0, *table);
    }
    const std::vector<std::uint64_t> targets = table_targets(target);
    if (targets.empty()) {
        return false;
    }
    has_open_table_ = has_open_table_ || is_open(target);
    steps_left_ -= std::min<std::uint64_t>(steps_left_, targets.size());
    for (const std::uint64_t one : targets) {
        go(one, state, instruction.address);
    }
    return true;
}

std::vector<std::uint64_t> Analysis::table_targets(const Value& target) const {
    using Kind = Value::Kind;
    std::vector<std::uint64_t> targets;
    if (target.kind != Kind::table_target && target.kind != Kind::table_pointer) {
        return targets;
    }
    const bool is_pointer = target.kind == Kind::table_pointer;
    const auto base = static_cast<std::uint64_t>(target.offset);
    const std::uint64_t width = is_pointer ? 8 : 4;
    const std::uint64_t start =
        is_pointer ? base : base + static_cast<std::uint64_t>(static_cast<std::int32_t>(target.base));
    const std::uint64_t first = function_.address;
    const std::uint64_t end = program_.end_of(function_);
    const std::uint64_t count = target.number == 0 ? most_table_entries : target.number;
    const std::uint64_t limit = is_open(target) ? program_.next_named(start) : ~std::uint64_t{0};
    for (std::uint64_t index = 0; index < count && start + index * width < limit; ++index) {
        const std::uint64_t place = start + index * width;
        std::uint64_t where = 0;
        if (is_pointer) {
            const auto word = word_at(program_.image(), place);
            // Of a program with a fixed address, the linker writes addresses like other numbers.
            const bool is_fixed = program_.image().elf.has_fixed_address;
            if (!word || !(word->kind == Word::Kind::address || (is_fixed && word->kind == Word::Kind::number))) {
                break;
            }
            where = word->value;
        } else {
            const auto number = number_at(program_.image(), place, 4);
            if (!number) {
                break;
            }
            const auto signed_number = static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
            const bool is_unsigned = (target.residue & Value::table_is_unsigned) != 0;
            where = base + (is_unsigned ? *number : static_cast<std::uint64_t>(std::int64_t{signed_number}));
        }
        const bool is_within = (where >= first && where < end) || program_.is_in_part(where);
        if (!is_within || !program_.is_code(where)) {
            break;
        }
        targets.push_back(where);
    }
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    return targets;
}

}  // namespace nasm_build::inspect::abi
