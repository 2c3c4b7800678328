#include "inspect/abi/analysis.hpp"

#include <algorithm>
#include <utility>

#include "inspect/abi/values.hpp"

namespace nasm_build::inspect::abi {

namespace {

constexpr std::uint64_t steps_an_instruction = 64, steps_at_least = 20'000;

/// Beyond them a fault may be told without the way to it.
constexpr std::size_t most_edges = std::size_t{1} << 20U;

}  // namespace

Analysis::Analysis(Program& program, const Convention& convention, std::span<const Summary> summaries,
                   std::size_t function)
    : program_(program),
      convention_(convention),
      summaries_(summaries),
      index_(function),
      function_(program.functions()[function]),
      has_shadow_stack_(program.image().elf.properties.x86_shadow_stack) {
    const std::uint64_t size = program.end_of(function_) - function_.address;
    steps_left_ = steps_at_least + steps_an_instruction * std::min<std::uint64_t>(size, 1U << 22U);
}

void Analysis::run() {
    go(function_.address, entry_state(), 0);
    do {
        while (blocks_.has_pending() && reason_.empty()) {
            const std::size_t index = blocks_.take_pending();
            blocks_.set_end(index, walk(blocks_.entered()[index]));
        }
    } while (reason_.empty() && renew_parted_blocks());
    blocks_.settle();
    for (std::size_t index = 0; index < blocks_.size(); ++index) {
        program_.number_at(blocks_[index].address) = 0;
    }
    std::sort(callees_.begin(), callees_.end());
    callees_.erase(std::unique(callees_.begin(), callees_.end()), callees_.end());
    callees_.shrink_to_fit();
    // What lies behind a table's end is no path, so that what it does is no fault of the callers'.
    const bool is_doubtful = has_open_table_ && (!summary_.changed.both(convention_.kept).empty() ||
                                                 !summary_.changed_vectors.both(convention_.kept_vectors).empty());
    summary_.is_followed = reason_.empty() && !is_doubtful;
    if (has_open_table_) {
        summary_.leaves_upper_used = summary_.leaves_direction = false;
        summary_.changed_floating = 0;
    }
}

void Analysis::give_up(std::uint64_t address, std::string reason) {
    if (reason_.empty()) {
        reason_ = std::move(reason);
        reason_address_ = address;
    }
}

// A jump table may lead into the middle of a block that was walked before: its state goes on there as well.
bool Analysis::renew_parted_blocks() {
    if (!std::exchange(has_new_leaders_, false)) {
        return false;
    }
    constexpr std::uint64_t bytes_a_step = 8;
    for (std::size_t index = 0; index < blocks_.entered().size(); ++index) {
        const std::uint64_t begin = blocks_.entered()[index].address + 1;
        const std::uint64_t end = std::max(begin, blocks_.entered()[index].end);
        steps_left_ -= std::min(steps_left_, (end - begin) / bytes_a_step);
        for (std::uint64_t at = begin; at < end; ++at) {
            if (program_.is_leader(at) && program_.number_at(at) != 0) {
                blocks_.renew(index);
                break;
            }
        }
    }
    return blocks_.has_pending();
}

void Analysis::go(std::uint64_t target, const State& state, std::uint64_t by) {
    if (phase_ == Phase::explaining || program_.is_nowhere(target, function_)) {
        return;
    }
    if (phase_ == Phase::looking) {
        if (edges_.size() < most_edges) {
            edges_.push_back({block_, target, by});
        }
        return;
    }
    if (!program_.is_code(target)) {
        give_up(target, "it runs into bytes that are no instruction");
        return;
    }
    has_new_leaders_ = has_new_leaders_ || !program_.is_leader(target);
    program_.make_leader(target);
    blocks_.enter(target, program_.number_at(target), state, join_place(target));
}

bool Analysis::begins_block(std::uint64_t address) const {
    return program_.is_leader(address) && (phase_ == Phase::following || blocks_.find(address) != nullptr);
}

std::uint64_t Analysis::walk(const Block& block) {
    std::uint64_t address = block.address;
    block_ = address;
    state_ = block.state;
    State& state = state_;
    compared_ = {};
    true_row_ = nullptr;
    bool is_behind_call = false;
    for (;;) {
        const Instruction* const found = program_.instruction_at(address);
        if (found == nullptr) {
            if (!is_behind_call) {
                give_up(address, "it runs into bytes that are no instruction");
            }
            return address;
        }
        const Instruction& instruction = *found;
        if (steps_left_ == 0) {
            give_up(address, "it takes too many steps");
        }
        if (!reason_.empty()) {
            return address;
        }
        --steps_left_;
        if (phase_ == Phase::looking) {
            look(instruction, state);
            if (instruction.may_write_stack()) {
                true_row_ = nullptr;
            }
        }
        if (!step(instruction, state)) {
            return address;
        }
        is_behind_call = instruction.action == Action::call || (is_behind_call && instruction.is_padding);
        address = instruction.next();
        if (is_behind_call && function_.end != 0 && address == function_.end) {
            return address;  // behind the last call of a function nothing of it follows: that call does not return
        }
        const Function* const next = program_.function_at(address);
        if (next != nullptr && next != &function_) {
            // A call in front of another function is one that does not return, whatever is known of it.
            if (!is_behind_call) {
                tail(instruction, state, {Destination::Kind::local, address, {}});
                if (phase_ == Phase::looking) {
                    tell(FaultKind::fallthrough, instruction.address).callee = program_.display_name(address);
                }
            }
            return address;
        }
        if (begins_block(address)) {
            go(address, state, 0);
            return address;
        }
    }
}

bool Analysis::step(const Instruction& instruction, State& state) {
    if (instruction.sets_direction) {
        state.direction = Direction::set;
    } else if (instruction.clears_direction) {
        state.direction = Direction::clear;
    }
    if (instruction.needs_alignment && address_of(instruction.memory, state).is_stack()) {
        need_alignment(instruction.address);
    }
    // Linux, x86-64: exit and exit_group, which glibc's clone calls for a child on a stack of its own.
    const Value& number = state.at(Register::rax);
    const bool is_number = instruction.is_system_call && number.kind == Value::Kind::constant;
    if (is_number && (number.offset == 60 || number.offset == 231)) {
        return false;
    }
    has_probe_ = has_probe_ || instruction.is_probe;
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
    if (!state.at(Register::rsp).is_stack()) {
        give_up(instruction.address, "rsp leaves every stack");
    }
    return reason_.empty();
}

}  // namespace nasm_build::inspect::abi
