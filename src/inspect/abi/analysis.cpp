#include "inspect/abi/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "inspect/abi/imports.hpp"
#include "inspect/memory.hpp"

namespace nasm_build::inspect::abi {

namespace {

constexpr std::uint64_t most_table_entries = 4096;
constexpr std::uint64_t steps_an_instruction = 64, steps_at_least = 20'000;

// What bases of the stack are called by: where they came to be, in the code.
std::uint32_t join_place(std::uint64_t address) {
    return static_cast<std::uint32_t>(address * 2) & 0x3FFFFFFU;
}
std::uint32_t step_place(std::uint64_t address) {
    return static_cast<std::uint32_t>(address * 2 + 1) & 0x3FFFFFFU;
}

bool is_at_entry(const State& state) {
    const Value& rsp = state.at(Register::rsp);
    return rsp.is_stack() && rsp.base == 0 && rsp.offset == 0;
}

// gcc -pg and -mfentry call the first three before the prologue, clang for macOS the last before it takes a page or more of the
// stack: they leave everything as it is.
bool leaves_everything(std::string_view import) {
    return import == "mcount" || import == "_mcount" || import == "__fentry__" || import == "___chkstk_darwin" ||
           import == "__chkstk_darwin";
}

}  // namespace

Analysis::Analysis(Program& program, const Convention& convention, std::span<const Summary> summaries,
                   std::size_t function)
    : program_(program),
      convention_(convention),
      summaries_(summaries),
      index_(function),
      function_(program.functions()[function]) {
    const std::uint64_t size = program.end_of(function_) - function_.address;
    steps_left_ = steps_at_least + steps_an_instruction * std::min<std::uint64_t>(size, 1U << 22U);
}

void Analysis::run() {
    go(function_.address, entry_state(), 0);
    while (!pending_.empty() && reason_.empty()) {
        const std::uint64_t address = *pending_.begin();
        pending_.erase(pending_.begin());
        block_ = address;
        walk(address, blocks_.at(address).state);
    }
    summary_.is_followed = reason_.empty();
}

void Analysis::give_up(std::uint64_t address, std::string reason) {
    if (reason_.empty()) {
        reason_ = std::move(reason);
        reason_address_ = address;
    }
}

void Analysis::go(std::uint64_t target, const State& state, std::uint64_t by) {
    if (is_looking_ || program_.is_nowhere(target, function_)) {
        return;
    }
    program_.make_leader(target);
    if (const auto from = blocks_.find(block_); from != blocks_.end()) {
        const std::pair edge(target, by);
        auto& edges = from->second.edges;
        if (std::find(edges.begin(), edges.end(), edge) == edges.end()) {
            edges.push_back(edge);
        }
    }
    const auto [found, is_new] = blocks_.try_emplace(target, Block{state, {}});
    if (is_new || join(found->second.state, state, join_place(target))) {
        pending_.insert(target);
    }
}

void Analysis::walk(std::uint64_t address, State state) {
    compared_ = {};
    bool is_behind_call = false;
    for (;;) {
        const Instruction* const found = program_.instruction_at(address);
        if (found == nullptr) {
            if (!is_behind_call) {
                give_up(address, "it runs into bytes that are no instruction");
            }
            return;
        }
        const Instruction instruction = *found;
        if (steps_left_ == 0) {
            give_up(address, "it takes too many steps");
        }
        if (!reason_.empty()) {
            return;
        }
        --steps_left_;
        if (is_looking_) {
            look(instruction, state);
        }
        if (!step(instruction, state)) {
            return;
        }
        is_behind_call = instruction.action == Action::call || (is_behind_call && instruction.is_padding);
        address = instruction.next();
        const Function* const next = program_.function_at(address);
        if (next != nullptr && next != &function_) {
            // A call in front of another function is one that does not return, whatever is known of it.
            if (!is_behind_call) {
                tail(instruction, state, {Destination::Kind::local, address, {}});
                if (is_looking_) {
                    tell(FaultKind::fallthrough, instruction.address).callee = program_.display_name(address);
                }
            }
            return;
        }
        if (program_.is_leader(address)) {
            go(address, state, 0);
            return;
        }
    }
}

bool Analysis::step(const Instruction& instruction, State& state) {
    if (instruction.sets_direction) {
        state.direction = Direction::set;
    } else if (instruction.clears_direction || instruction.restores_flags) {
        state.direction = Direction::clear;
    }
    if (instruction.needs_alignment && address_of(instruction.memory, state).is_stack()) {
        need_alignment(instruction.address);
    }
    switch (instruction.action) {
        case Action::call:
            return step_call(instruction, state);
        case Action::branch:
            step_branch(instruction, state);
            return false;
        case Action::jump:
            step_jump(instruction, state);
            return false;
        case Action::ret:
            step_return(instruction, state);
            return false;
        case Action::trap:
            return false;
        case Action::push:
        case Action::push_other:
        case Action::pop:
        case Action::pop_other:
        case Action::leave:
            step_stack(instruction, state);
            break;
        default:
            step_data(instruction, state);
            break;
    }
    return reason_.empty();
}

Value Analysis::address_of(const Memory& memory, const State& state) const {
    if (memory.is_segment || memory.index != Register::none) {
        return {};
    }
    if (memory.base == Register::none) {
        return Value::constant(memory.displacement);
    }
    Value value = state.at(memory.base);
    if (!value.is_stack() && value.kind != Value::Kind::constant) {
        return {};
    }
    value.offset += memory.displacement;
    return value;
}

void Analysis::write(State& state, Register one, const Value& value, std::uint64_t address) {
    if (one == Register::none) {
        return;
    }
    if (one == Register::rsp && !value.is_stack()) {
        give_up(address, "rsp is set to a value that is not followed");
        return;
    }
    state.at(one) = value;
    if (state.bounded_memory.place.base == one || state.bounded_memory.place.index == one) {
        state.bounded_memory = {};
    }
    if (compared_.left == one || compared_.right == one) {
        compared_ = {};
    }
}

namespace {

Value sum(const Value& value, std::int64_t constant) {
    using Kind = Value::Kind;
    Value result = value;
    if (value.is_stack() || value.kind == Kind::constant) {
        result.offset += constant;
        return result;
    }
    result = {};
    result.residue = value.kind == Kind::unknown && value.residue == 0 && constant % 16 == 0 ? 0 : -1;
    return result;
}

Value added(const Value& value, const Value& other) {
    using Kind = Value::Kind;
    if (other.kind == Kind::constant && value.kind != Kind::table_entry) {
        return sum(value, other.offset);
    }
    const Value& entry = value.kind == Kind::table_entry ? value : other;
    const Value& base = value.kind == Kind::table_entry ? other : value;
    if (entry.kind == Kind::table_entry && base.kind == Kind::constant) {
        const auto distance = static_cast<std::uint64_t>(entry.offset - base.offset);
        return {Kind::table_target, entry.number, entry.residue, static_cast<std::uint32_t>(distance), base.offset};
    }
    return value.kind == Kind::constant ? sum(other, value.offset) : Value{};
}

// Of an address that is moved by something unknown: a new base, whose place modulo 16 is known where the distance's is.
Value moved(const Value& value, const Value& distance, std::uint32_t where, Register one) {
    if (distance.kind == Value::Kind::constant) {
        return sum(value, -distance.offset);
    }
    if (!value.is_stack()) {
        return {};
    }
    const auto alignment = value.alignment();
    const bool is_multiple = distance.kind == Value::Kind::unknown && distance.residue == 0;
    return fresh_stack(where, one, alignment && is_multiple ? static_cast<std::int8_t>(*alignment) : std::int8_t{-1});
}

Value masked(const Value& value, std::int64_t mask, std::uint32_t where, Register one) {
    if (value.is_stack()) {
        return fresh_stack(where, one, mask < 0 && (mask & 15) == 0 ? 0 : -1);
    }
    if (mask >= 0) {
        return {Value::Kind::bounded, 64, -1, 0, mask};
    }
    Value result;
    result.residue = (mask & 15) == 0 ? 0 : -1;
    return result;
}

// Of the low bits of a register, extended to all of them.
Value extended(const Value& value, unsigned width) {
    if (value.kind == Value::Kind::bounded && value.number >= width) {
        return {Value::Kind::bounded, 64, -1, 0, value.offset};
    }
    return width < 32 ? Value{Value::Kind::bounded, 64, -1, 0, (std::int64_t{1} << width) - 1} : Value{};
}

std::uint8_t entries_of(const Value& index) {
    const bool is_known = index.kind == Value::Kind::bounded && index.number == 64 && index.offset < 255;
    return is_known ? static_cast<std::uint8_t>(index.offset + 1) : 0;
}

}  // namespace

void Analysis::step_data(const Instruction& instruction, State& state) {
    const Memory& memory = instruction.memory;
    const Register to = instruction.destination;
    const std::uint64_t at = instruction.address;
    const Value address = memory.is_used ? address_of(memory, state) : Value{};
    // The table that an indexed load reads, where its address is known.
    const auto table = [&]() -> std::optional<std::int64_t> {
        if (memory.index == Register::none) {
            return std::nullopt;
        }
        if (memory.base == Register::none) {
            return memory.displacement;
        }
        const Value& base = state.at(memory.base);
        return base.kind == Value::Kind::constant ? std::optional(base.offset + memory.displacement) : std::nullopt;
    };
    RegisterSet written = instruction.writes;
    written.add(instruction.partial_writes);
    std::optional<Value> result;
    switch (instruction.action) {
        case Action::copy:
            result = state.at(instruction.source);
            break;
        case Action::copy_low:
            result = extended(state.at(instruction.source), instruction.width);
            break;
        case Action::set:
            result = Value::constant(instruction.constant);
            break;
        case Action::compute_address:
            result = address_of(memory, state);
            if (result->kind == Value::Kind::unknown && memory.base != Register::none &&
                memory.index == Register::none) {
                result = sum(state.at(memory.base), memory.displacement);
            }
            break;
        case Action::add:
            result = sum(state.at(to), instruction.constant);
            break;
        case Action::add_register:
            result = added(state.at(to), state.at(instruction.source));
            break;
        case Action::subtract_register:
            result = moved(state.at(to), state.at(instruction.source), step_place(at), to);
            break;
        case Action::mask:
            result = masked(state.at(to), instruction.constant, step_place(at), to);
            break;
        case Action::load:
            result = state.load(address).value_or(Value{});
            if (const auto known = table(); known && memory.scale == 8) {
                result = {Value::Kind::table_pointer, entries_of(state.at(memory.index)), -1, 0, *known};
            }
            break;
        case Action::load_signed_32:
        case Action::load_32:
            result = Value{};
            if (const auto known = table(); known && memory.scale == 4) {
                const bool is_signed = instruction.action == Action::load_signed_32;
                result = {Value::Kind::table_entry, entries_of(state.at(memory.index)),
                          static_cast<std::int8_t>(is_signed ? -1 : 0), 0, *known};
            }
            break;
        case Action::mask_32:
            result = instruction.constant >= 0 ? masked({}, instruction.constant, 0, to) : Value{};
            break;
        case Action::load_8:
            result = {Value::Kind::bounded, 64, -1, 0,
                      state.bounded_memory.place.is_same_place(memory) ? state.bounded_memory.most : 255};
            break;
        case Action::exchange: {
            const Value other = state.at(instruction.source);
            const Value mine = state.at(to);
            write(state, instruction.source, mine, at);
            write(state, to, other, at);
            return;
        }
        default:
            break;
    }
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (written.has(one) && !(one == to && result)) {
            write(state, one, {}, at);
        }
    }
    if (result && to != Register::none) {
        write(state, to, *result, at);
    }
    if (memory.is_used && memory.is_written && !instruction.leaves_memory) {
        state.bounded_memory = {};
        const std::int64_t home_end = 8 + std::int64_t{convention_.shadow_space};
        const bool is_home =
            address.is_stack() && address.base == 0 && address.offset >= 8 && address.offset < home_end;
        summary_.writes_home = summary_.writes_home || is_home;
        constexpr std::int64_t large = 4096;  // fxsave, xsave
        const std::int64_t size = memory.size == 255 ? large : memory.size;
        if (instruction.action == Action::store) {
            state.store(address, state.at(instruction.source));
        } else if (instruction.action == Action::store_vector) {
            const bool is_kept = state.kept_vectors.has(instruction.vector);
            state.overwrite(address, size);
            if (is_kept) {
                state.store(address, Value::entry_vector(instruction.vector));
            }
        } else {
            state.overwrite(address, size);
        }
    }
    if (!instruction.vector_writes.empty()) {
        const bool restores =
            instruction.action == Action::load_vector && state.load(address) == Value::entry_vector(instruction.vector);
        state.kept_vectors = state.kept_vectors.without(instruction.vector_writes);
        state.destroyed_vectors = state.destroyed_vectors.without(instruction.vector_writes);
        if (restores) {
            state.kept_vectors.add(instruction.vector);
        }
    }
    if (instruction.action == Action::compare) {
        compared_ = {to, Register::none, instruction.constant, instruction.width, {}};
    } else if (instruction.action == Action::compare_registers) {
        compared_ = {to, instruction.source, 0, 64, {}};
    } else if (instruction.action == Action::compare_memory) {
        compared_ = {Register::none, Register::none, instruction.constant, 8, memory};
    }
}

void Analysis::step_stack(const Instruction& instruction, State& state) {
    Value& rsp = state.at(Register::rsp);
    switch (instruction.action) {
        case Action::push: {
            const Value value = state.at(instruction.source);
            rsp.offset -= 8;
            state.store(rsp, value);
            break;
        }
        case Action::push_other:
            rsp.offset -= 8;
            state.overwrite(rsp, 8);
            break;
        case Action::pop: {
            const Value value = state.load(rsp).value_or(Value{});
            rsp.offset += 8;
            write(state, instruction.destination, value, instruction.address);
            break;
        }
        case Action::pop_other:
            rsp.offset += 8;
            break;
        case Action::leave: {
            const Value frame = state.at(Register::rbp);
            write(state, Register::rsp, frame, instruction.address);
            if (frame.is_stack()) {
                const Value value = state.load(frame).value_or(Value{});
                state.at(Register::rsp).offset += 8;
                write(state, Register::rbp, value, instruction.address);
            }
            break;
        }
        default:
            break;
    }
}

void Analysis::apply_convention(State& state, bool destroys) {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (one != Register::rsp && !convention_.kept.has(one)) {
            const bool is_result = convention_.results.has(one);
            state.at(one) = destroys && !is_result ? Value::destroyed() : Value{};
        }
    }
    const RegisterSet lost = RegisterSet::vectors(0, 15).without(convention_.kept_vectors);
    state.kept_vectors = state.kept_vectors.without(lost);
    state.destroyed_vectors = destroys ? lost.without(convention_.result_vectors) : RegisterSet();
}

void Analysis::apply_summary(const Summary& summary, State& state) {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (one != Register::rsp && summary.changed.has(one)) {
            state.at(one) = {};
        }
    }
    state.kept_vectors = state.kept_vectors.without(summary.changed_vectors);
    state.destroyed_vectors = state.destroyed_vectors.without(summary.changed_vectors);
    state.at(Register::rsp).offset += summary.pops;
    if (summary.leaves_direction) {
        state.direction = Direction::unknown;
    }
}

// What a jump out of the function leads to does not count: in a module without symbols, a jump that gcc knows never to be taken
// leads to whatever comes next.
void Analysis::need_alignment(std::uint64_t address) {
    const bool is_within = address >= function_.address && address < program_.end_of(function_);
    summary_.needs_alignment = summary_.needs_alignment || is_within;
}

std::optional<std::size_t> Analysis::callee_of(const Destination& destination) const {
    if (destination.kind != Destination::Kind::local) {
        return std::nullopt;
    }
    return program_.index_of(destination.address);
}

void Analysis::forget_home(State& state) const {
    for (std::uint32_t home = 0; home < convention_.shadow_space; home += 8) {
        Value place = state.at(Register::rsp);
        place.offset += home;
        state.overwrite(place, 8);
    }
}

bool Analysis::step_call(const Instruction& instruction, State& state) {
    if (instruction.is_direct && instruction.target == instruction.next()) {
        Value& rsp = state.at(Register::rsp);  // call; pop: where am I?
        rsp.offset -= 8;
        state.overwrite(rsp, 8);
        return true;
    }
    const Destination destination = program_.destination_of(instruction);
    state.forget_below(state.at(Register::rsp));
    compared_ = {};
    state.bounded_memory = {};
    if (const auto callee = callee_of(destination)) {
        callees_.insert(*callee);
        const Summary& summary = summaries_[*callee];
        if (summary.needs_alignment) {
            need_alignment(instruction.address);
        }
        if (summary.writes_home || !summary.is_followed) {
            forget_home(state);
        }
        if (!summary.is_followed) {
            apply_convention(state, false);
            return true;
        }
        apply_summary(summary, state);
        return summary.returns;
    }
    if (destination.kind == Destination::Kind::imported) {
        if (returns(destination.name) == Returns::never) {
            return false;  // gcc calls abort with any stack
        }
        if (leaves_everything(destination.name)) {
            return true;
        }
    }
    need_alignment(instruction.address);
    forget_home(state);
    apply_convention(state, destination.kind == Destination::Kind::imported);
    return true;
}

void Analysis::step_branch(const Instruction& instruction, const State& state) {
    State taken = state;
    State passed = state;
    const auto bound = [&](State& refined, std::int64_t most) {
        const auto left = compared_.left;
        if (compared_.memory.is_used && most >= 0 && most < 255) {
            refined.bounded_memory = {compared_.memory, most};
        }
        if (left != Register::none && compared_.right == Register::none && most >= 0 && left != Register::rsp) {
            refined.at(left) = {Value::Kind::bounded, compared_.width, -1, 0, most};
        }
    };
    const auto equate = [&](State& refined) {
        if (compared_.left == Register::none || compared_.right == Register::none) {
            return;
        }
        const Value left = refined.at(compared_.left);
        const Value right = refined.at(compared_.right);
        if (left.is_stack() && right.is_stack()) {
            // Of a place where ways met and one that is counted from another base, the latter says more.
            const bool left_is_older = left.base < right.base;
            refined.at(left_is_older ? compared_.right : compared_.left) = left_is_older ? left : right;
        }
    };
    switch (instruction.condition) {
        case Condition::above:
            bound(passed, compared_.constant);
            break;
        case Condition::not_above:
            bound(taken, compared_.constant);
            break;
        case Condition::below:
            bound(taken, compared_.constant - 1);
            break;
        case Condition::not_below:
            bound(passed, compared_.constant - 1);
            break;
        case Condition::equal:
            equate(taken);
            break;
        case Condition::not_equal:
            equate(passed);
            break;
        default:
            break;
    }
    if (instruction.is_direct) {
        const Function* const other = program_.function_at(instruction.target);
        const bool leaves = other != nullptr && other != &function_ && is_at_entry(taken);
        if (leaves) {
            tail(instruction, taken, {Destination::Kind::local, instruction.target, {}});
        } else if (!program_.is_code(instruction.target)) {
            give_up(instruction.address, "it jumps to where no code is");
        } else {
            go(instruction.target, taken, instruction.address);
        }
    }
    const std::uint64_t next = instruction.next();
    const Function* const following = program_.function_at(next);
    if (following != nullptr && following != &function_) {
        tail(instruction, passed, {Destination::Kind::local, next, {}});
        return;
    }
    go(next, passed, 0);
}

void Analysis::step_jump(const Instruction& instruction, State& state) {
    if (instruction.is_direct) {
        const Destination destination = program_.destination_of(instruction);
        const Function* const other = program_.function_at(instruction.target);
        const bool is_elsewhere =
            destination.kind == Destination::Kind::imported || destination.address != instruction.target;
        if (is_elsewhere || (other != nullptr && other != &function_ && is_at_entry(state))) {
            tail(instruction, state, destination);
        } else if (!program_.is_code(instruction.target)) {
            give_up(instruction.address, "it jumps to where no code is");
        } else {
            go(instruction.target, state, instruction.address);
        }
        return;
    }
    const Destination destination = program_.destination_of(instruction);
    if (destination.kind != Destination::Kind::unknown) {
        tail(instruction, state, destination);
        return;
    }
    if (jump_by_table(instruction, state)) {
        return;
    }
    if (is_at_entry(state)) {
        tail(instruction, state, {});
    } else {
        give_up(instruction.address, "a computed jump was not resolved");
    }
}

bool Analysis::jump_by_table(const Instruction& instruction, const State& state) {
    Value target;
    const Memory& memory = instruction.memory;
    if (instruction.source != Register::none) {
        target = state.at(instruction.source);
    } else if (memory.is_used && memory.index != Register::none && memory.scale == 8) {
        const Value base = memory.base == Register::none ? Value::constant(0) : state.at(memory.base);
        if (base.kind == Value::Kind::constant) {
            target = {Value::Kind::table_pointer, entries_of(state.at(memory.index)), -1, 0,
                      base.offset + memory.displacement};
        }
    }
    const std::vector<std::uint64_t> targets = table_targets(target);
    if (targets.empty()) {
        return false;
    }
    has_open_table_ = has_open_table_ || target.number == 0;
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
    const std::uint64_t limit = target.number == 0 ? program_.next_named(start) : ~std::uint64_t{0};
    for (std::uint64_t index = 0; index < count && start + index * width < limit; ++index) {
        const std::uint64_t place = start + index * width;
        std::uint64_t where = 0;
        if (is_pointer) {
            const auto word = word_at(program_.image(), place);
            if (!word || word->kind != Word::Kind::address) {
                break;
            }
            where = word->value;
        } else {
            const auto number = number_at(program_.image(), place, 4);
            if (!number) {
                break;
            }
            const auto signed_number = static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
            where = base + (target.residue == 0 ? *number : static_cast<std::uint64_t>(std::int64_t{signed_number}));
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

void Analysis::tail(const Instruction& instruction, State& state, const Destination& destination) {
    if (is_looking_) {
        look_at_tail(state, instruction.address, destination);
        return;
    }
    if (const auto callee = callee_of(destination)) {
        callees_.insert(*callee);
        const Summary& summary = summaries_[*callee];
        summary_.writes_home = summary_.writes_home || summary.writes_home || !summary.is_followed;
        if (summary.needs_alignment) {
            need_alignment(instruction.address);
        }
        if (summary.is_followed) {
            State behind = state;
            apply_summary(summary, behind);
            behind.at(Register::rsp) = state.at(Register::rsp);
            if (summary.returns) {
                leave(behind, summary.pops);
            }
            return;
        }
    } else if (destination.kind == Destination::Kind::imported && returns(destination.name) == Returns::never) {
        return;
    }
    need_alignment(instruction.address);
    summary_.writes_home = true;
    State behind = state;
    apply_convention(behind, false);
    leave(behind, 0);
}

void Analysis::step_return(const Instruction& instruction, const State& state) {
    if (!is_looking_) {
        leave(state, instruction.constant);
    }
}

void Analysis::leave(const State& state, std::int64_t pops) {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (one != Register::rsp && !state.at(one).is_entry_of(one)) {
            summary_.changed.add(one);
        }
    }
    summary_.changed_vectors.add(RegisterSet::vectors(0, 15).without(state.kept_vectors));
    summary_.returns = true;
    summary_.pops = std::max(summary_.pops, pops);
    summary_.leaves_direction = summary_.leaves_direction || state.direction != Direction::clear;
}

}  // namespace nasm_build::inspect::abi
