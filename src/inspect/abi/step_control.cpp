// What calls, branches, jumps and returns do: where control goes, and with what.
#include <algorithm>
#include <utility>

#include "inspect/abi/analysis.hpp"
#include "inspect/abi/imports.hpp"
#include "inspect/abi/values.hpp"

namespace nasm_build::inspect::abi {

namespace {

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
    state.doubtful_vectors = RegisterSet();
    state.upper = Upper::clear;
}

void Analysis::apply_summary(const Summary& summary, State& state) {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (one != Register::rsp && summary.changed.has(one)) {
            state.at(one) = summary.destroyed.has(one) ? Value::destroyed() : Value{};
        }
    }
    state.kept_vectors = state.kept_vectors.without(summary.changed_vectors);
    state.destroyed_vectors = state.destroyed_vectors.without(summary.changed_vectors);
    state.destroyed_vectors.add(summary.changed_vectors.both(summary.destroyed_vectors));
    state.doubtful_vectors = state.doubtful_vectors.without(summary.changed_vectors);
    state.at(Register::rsp).offset += summary.pops;
    if (summary.leaves_upper_used) {
        state.upper = Upper::used;
    } else if (!summary.may_leave_upper_alone) {
        state.upper = Upper::clear;
    }
    state.floating = static_cast<std::uint8_t>(state.floating | summary.changed_floating);
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
    state.overwrite(state.at(Register::rsp), std::int64_t{convention_.shadow_space});
}

void Analysis::destroy_home(State& state) const {
    for (std::uint32_t home = 0; home < convention_.shadow_space; home += 8) {
        state.store(sum(state.at(Register::rsp), home), Value::destroyed());
    }
}

bool Analysis::step_call(const Instruction& instruction, State& state) {
    if (instruction.is_direct && instruction.target == instruction.next()) {
        Value& rsp = state.at(Register::rsp);  // call; pop: where am I?
        rsp = sum(rsp, -8);
        state.overwrite(rsp, 8);
        return true;
    }
    const Destination destination = program_.destination_of(instruction);
    state.forget_below(state.at(Register::rsp));
    compared_ = {};
    state.bounded_memory = {};
    if (const auto callee = callee_of(destination)) {
        callees_.push_back(*callee);
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
    if (destination.kind == Destination::Kind::local) {
        // A function that only code behind a jump table calls was not found when they were collected, and is not known.
        forget_home(state);
        apply_convention(state, false);
        return true;
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
    destroy_home(state);
    // A thread-local variable's descriptor begins with the function that is asked for its address, with rdi (macOS) or rax (ELF) on
    // the descriptor; it leaves every register but rax alone.
    const Memory& memory = instruction.memory;
    const Register descriptor = program_.image().format == Format::macho ? Register::rdi : Register::rax;
    const bool may_be_of_thread = program_.image().format != Format::pe && memory.is_used &&
                                  memory.base == descriptor && memory.displacement == 0 &&
                                  memory.index == Register::none;
    apply_convention(state, !may_be_of_thread);
    state.are_flags_destroyed = !may_be_of_thread;
    if (destination.kind == Destination::Kind::imported) {
        take_result(instruction, destination.name, state);
    }
    if (destination.kind != Destination::Kind::imported) {
        state.at(Register::rdx) = {};  // Rust's and Swift's pairs, whatever the platform
    }
    return true;
}

// What a branch tells on one of its ways, of the comparison in front of it.
Analysis::Learned Analysis::learn(Condition condition, const State& state) const {
    Learned learned;
    if (compared_.is_carry_alone && condition != Condition::below && condition != Condition::not_below) {
        return learned;
    }
    const auto bound = [&](bool is_when_taken, std::int64_t most) {
        learned.is_when_taken = is_when_taken;
        const auto left = compared_.left;
        if (compared_.memory.is_used && most >= 0 && most < 255) {
            learned.memory = BoundedMemory{compared_.memory, most};
        }
        // What must be given back is not to be lost for a number.
        const bool is_kept =
            left != Register::none &&
            (state.at(left).is_stack() || (state.at(left).is_entry_of(left) && convention_.kept.has(left)));
        if (left != Register::none && compared_.right == Register::none && most >= 0 && !is_kept) {
            const std::int64_t known = state.at(left).most();
            const std::int64_t largest = compared_.width >= 63 ? most : (std::int64_t{1} << compared_.width) - 1;
            learned.one = left;
            if (known < 0 || known > largest) {
                learned.value = {Value::Kind::bounded, compared_.width, -1, 0, most};
            } else {
                learned.value = known < most ? state.at(left) : Value::at_most(most);
            }
        }
    };
    const auto equate = [&](bool is_when_taken) {
        learned.is_when_taken = is_when_taken;
        if (compared_.left == Register::none) {
            return;
        }
        const Value& left = state.at(compared_.left);
        if (compared_.right == Register::none) {
            // A result that is zero is a number like others: al says that there are no vector registers.
            if (left.kind == Value::Kind::result && compared_.constant == 0) {
                learned.one = compared_.left;
                learned.value = {Value::Kind::result, Value::result_is_zero, -1, left.base, 0};
            }
            return;
        }
        const Value& right = state.at(compared_.right);
        if (left.is_stack() && right.is_stack()) {
            // Of a place where ways met and one that is counted from another base, the latter says more. In the first round of a loop
            // over the stack both have one base: then the frame pointer stays, and the stack pointer is what moves.
            const bool right_moves = compared_.left == Register::rbp || compared_.right == Register::rsp;
            const bool left_stays = left.base == right.base ? right_moves : left.base < right.base;
            learned.one = left_stays ? compared_.right : compared_.left;
            learned.value = left_stays ? left : right;
        }
    };
    switch (condition) {
        case Condition::above:
            bound(false, compared_.constant);
            break;
        case Condition::not_above:
            bound(true, compared_.constant);
            break;
        case Condition::below:
            bound(true, compared_.constant > 0 ? compared_.constant - 1 : -1);
            break;
        case Condition::not_below:
            bound(false, compared_.constant > 0 ? compared_.constant - 1 : -1);
            break;
        case Condition::equal:
            equate(true);
            break;
        case Condition::not_equal:
            equate(false);
            break;
        default:
            break;
    }
    return learned;
}

void Analysis::Learned::exchange(State& state) {
    if (one != Register::none) {
        std::swap(state.at(one), value);
    }
    if (memory) {
        std::swap(state.bounded_memory, *memory);
    }
}

void Analysis::step_branch(const Instruction& instruction, State& state) {
    Learned learned = learn(instruction.condition, state);
    if (learned.is_when_taken) {
        learned.exchange(state);
    }
    if (instruction.is_direct) {
        const Function* const other = program_.function_at(instruction.target);
        const bool leaves = other != nullptr && other != &function_ && is_at_entry(state);
        if (leaves) {
            tail(instruction, state, {Destination::Kind::local, instruction.target, {}});
        } else if (!program_.is_code(instruction.target)) {
            give_up(instruction.address, "it jumps to where no code is");
        } else {
            go(instruction.target, state, instruction.address);
        }
    }
    learned.exchange(state);  // what is known on the one way is taken back, or what is known on the other one put in
    const std::uint64_t next = instruction.next();
    const Function* const following = program_.function_at(next);
    if (following != nullptr && following != &function_) {
        tail(instruction, state, {Destination::Kind::local, next, {}});
        return;
    }
    go(next, state, 0);
}

void Analysis::step_jump(const Instruction& instruction, const State& state) {
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

void Analysis::tail(const Instruction& instruction, const State& state, const Destination& destination) {
    if (phase_ == Phase::looking) {
        look_at_tail(state, instruction.address, destination);
    }
    if (phase_ != Phase::following) {
        return;
    }
    if (const auto callee = callee_of(destination)) {
        callees_.push_back(*callee);
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
    if (phase_ == Phase::following) {
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
    RegisterSet destroyed;
    for (unsigned number = 0; number < register_count; ++number) {
        const Value& value = state.registers.at(number);
        if (value.kind == Value::Kind::destroyed && value.number == 0) {
            destroyed.add(number);
        }
    }
    summary_.destroyed = summary_.destroyed.both(destroyed);
    summary_.destroyed_vectors = summary_.destroyed_vectors.both(state.destroyed_vectors);
    summary_.leaves_upper_used = summary_.leaves_upper_used || state.upper == Upper::used;
    summary_.may_leave_upper_alone = summary_.may_leave_upper_alone || state.upper == Upper::unchanged;
    summary_.changed_floating = static_cast<std::uint8_t>(summary_.changed_floating | state.floating);
    summary_.changed_vectors.add(RegisterSet::vectors(0, 15).without(state.kept_vectors));
    summary_.returns = true;
    summary_.pops = std::max(summary_.pops, pops);
    summary_.leaves_direction = summary_.leaves_direction || state.direction != Direction::clear;
}

}  // namespace nasm_build::inspect::abi
