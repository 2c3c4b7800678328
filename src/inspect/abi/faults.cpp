// The looks that the analysis takes once its states are known: what is wrong at an instruction.
#include <algorithm>
#include <tuple>
#include <utility>

#include "inspect/abi/analysis.hpp"
#include "inspect/abi/imports.hpp"

namespace nasm_build::inspect::abi {

Fault& Analysis::tell(FaultKind kind, std::uint64_t address) {
    Fault fault;
    fault.kind = kind;
    fault.function = index_;
    fault.address = address;
    faults_.push_back(std::move(fault));
    return faults_.back();
}

std::vector<Fault> Analysis::faults() {
    if (!reason_.empty()) {
        return lost_stack();
    }
    const Instruction* const first = program_.instruction_at(function_.address);
    if (program_.image().elf.properties.x86_branch_tracking && function_.has_known_convention && first != nullptr &&
        !first->is_endbr) {
        tell(FaultKind::no_endbr, function_.address);
    }
    look_at_blocks();
    find_jumps_into_instructions();
    const auto place = [](const Fault& one) { return std::tuple(one.address, one.kind, one.subject, one.vector); };
    std::sort(faults_.begin(), faults_.end(),
              [&](const Fault& one, const Fault& other) { return place(one) < place(other); });
    faults_.erase(std::unique(faults_.begin(), faults_.end(),
                              [&](const Fault& one, const Fault& other) { return place(one) == place(other); }),
                  faults_.end());
    if (has_open_table_ && !faults_.empty()) {
        give_up(function_.address, "a jump table has no bound that is known");
        return {};
    }
    std::vector<Fault> found = std::exchange(faults_, {});
    phase_ = Phase::explaining;
    const auto [reason, address] = std::pair(reason_, reason_address_);
    for (Fault& fault : found) {
        explain(fault);
    }
    std::tie(reason_, reason_address_) = std::tie(reason, address);
    return found;
}

void Analysis::look_at_blocks() {
    phase_ = Phase::looking;
    for (std::size_t index = 0; index < blocks_.size(); ++index) {
        walk(blocks_[index]);
    }
}

void Analysis::look(const Instruction& instruction, const State& state) {
    looked_at_.emplace_back(instruction.address, instruction.length);
    const Value address = instruction.memory.is_used ? address_of(instruction.memory, state) : Value{};
    look_at_reads(instruction, address, state);
    look_below(instruction, address, state);
    look_at_stack(instruction, address);
    look_at_unwind(instruction, state);
    look_at_objects(instruction, state);
    if (instruction.action == Action::call) {
        look_at_call(instruction, state);
    } else if (instruction.action == Action::ret) {
        look_at_return(state, instruction.address);
    }
}

void Analysis::look_at_reads(const Instruction& instruction, const Value& address, const State& state) {
    // Compilers copy and spill what is in no state to be read, and never look at it again; people do not.
    const Memory& memory = instruction.memory;
    const bool is_copy = instruction.action == Action::copy || instruction.action == Action::copy_low ||
                         instruction.action == Action::copy_vector;
    const bool is_spill = memory.is_used && memory.is_written && !memory.is_read && instruction.writes.empty() &&
                          instruction.partial_writes.empty() && address.is_stack();
    if ((is_spill || is_copy) && !function_.is_assembled) {
        return;
    }
    // Nor do they look at what a probe of the stack reads: `mov eax, [rsp]`.
    const bool is_load = instruction.action == Action::load || instruction.action == Action::load_vector ||
                         instruction.action == Action::load_32 || instruction.action == Action::load_signed_32 ||
                         instruction.action == Action::load_8;
    if (convention_.shadow_space != 0 && memory.is_used && memory.is_read && (!is_load || function_.is_assembled) &&
        state.is_destroyed(address, memory.size)) {
        tell(FaultKind::home_after_call, instruction.address);
    }
    if (instruction.reads_flags && state.are_flags_destroyed) {
        tell(FaultKind::flags_after_call, instruction.address);
    }
    instruction.reads.for_each([&](unsigned number) {
        // On one way alone: compilers carry what they did not set along, where they know that nobody looks at it.
        const Value& value = state.registers.at(number);
        if (value.kind == Value::Kind::destroyed && (value.number == 0 || function_.is_assembled)) {
            Fault& fault = tell(FaultKind::volatile_after_call, instruction.address);
            fault.subject = static_cast<Register>(number);
            fault.is_doubtful = value.number != 0;
        }
    });
    RegisterSet lost = state.destroyed_vectors;
    lost.add(function_.is_assembled ? state.doubtful_vectors : RegisterSet());
    instruction.vector_reads.both(lost).for_each([&](unsigned number) {
        Fault& fault = tell(FaultKind::volatile_after_call, instruction.address);
        fault.vector = static_cast<std::uint8_t>(number);
        fault.is_doubtful = !state.destroyed_vectors.has(number);
    });
}

void Analysis::look_below(const Instruction& instruction, const Value& address, const State& state) {
    const Memory& memory = instruction.memory;
    const Value& rsp = state.at(Register::rsp);
    const bool is_probe = !memory.is_read && !memory.is_written;  // or qword [rsp - 4096], 0
    if (!address.is_stack() || address.base != rsp.base || is_probe) {
        return;
    }
    const std::int64_t below = rsp.offset - address.offset;
    if (below > static_cast<std::int64_t>(convention_.red_zone)) {
        tell(FaultKind::red_zone, instruction.address).amount = below;
    }
}

void Analysis::look_at_stack(const Instruction& instruction, const Value& address) {
    const Memory& memory = instruction.memory;
    const bool writes = memory.is_used && memory.is_written && address.is_stack() && address.base == 0;
    if (writes && function_.has_known_convention && address.offset < 8 && address.offset + memory.size > 0) {
        tell(FaultKind::return_address, instruction.address);
    }
    const bool has_known_stack = function_.has_known_convention || function_.is_assembled;
    const auto off = has_known_stack ? address.distance_from_multiple(memory.size) : 0U;
    if (instruction.needs_alignment && off != 0) {
        Fault& fault = tell(FaultKind::unaligned_access, instruction.address);
        fault.amount = off;
        fault.size = memory.size;
    }
    constexpr std::int64_t page = 4096;
    const bool takes = instruction.action == Action::add && instruction.destination == Register::rsp;
    if (convention_.shadow_space != 0 && takes && instruction.constant <= -page && !has_probe_) {
        tell(FaultKind::stack_probe, instruction.address).amount = -instruction.constant;
    }
}

// What must be as it was wherever control leaves for other code: a call with a name, or a return.
void Analysis::look_at_modes(const State& state, std::uint64_t address, std::string_view callee) {
    if (state.upper == Upper::used) {
        tell(FaultKind::upper_used, address).callee = callee;
    }
    // Code changes the mode for what it calls, too; MMX registers are in nobody's way but x87's.
    if (state.floating != 0 && callee.empty()) {
        tell(FaultKind::floating_state, address).amount = state.floating;
    }
}

// Instructions that were looked at and lie over each other: one starts within another. A jump behind a `lock` prefix is meant.
void Analysis::find_jumps_into_instructions() {
    // In most functions each block lies behind the one before.
    if (!std::is_sorted(looked_at_.begin(), looked_at_.end())) {
        std::sort(looked_at_.begin(), looked_at_.end());
    }
    looked_at_.erase(std::unique(looked_at_.begin(), looked_at_.end()), looked_at_.end());
    for (std::size_t index = 1; index < looked_at_.size(); ++index) {
        const auto& [before, length] = looked_at_[index - 1];
        const auto& [here, own_length] = looked_at_[index];
        const bool is_behind_prefix = here == before + 1 && here + own_length == before + length;
        if (here < before + length && !is_behind_prefix) {
            tell(FaultKind::jump_into_instruction, here);
        }
    }
}

// rsp was set to what a register of the caller's held: from there on there is nothing to follow, and no return.
std::vector<Fault> Analysis::lost_stack() {
    const bool is_ours = function_.has_known_convention || function_.is_assembled;
    if (lost_stack_.first == 0 || !is_ours || has_open_table_) {
        return {};
    }
    const auto [address, subject] = lost_stack_;
    phase_ = Phase::looking;
    for (std::size_t index = 0; index < blocks_.size(); ++index) {
        reason_.clear();
        walk(blocks_[index]);  // for the edges alone
    }
    phase_ = Phase::explaining;
    faults_.clear();
    Fault& fault = tell(FaultKind::stack_from_register, address);
    fault.subject = subject;
    explain(fault);
    reason_.clear();
    return std::exchange(faults_, {});
}

void Analysis::look_at_call(const Instruction& instruction, const State& state) {
    if (instruction.is_direct && instruction.target == instruction.next()) {
        if (has_shadow_stack_) {
            tell(FaultKind::return_elsewhere, instruction.address).callee = "itself";
        }
        return;
    }
    const Destination destination = program_.destination_of(instruction);
    const auto callee = callee_of(destination);
    const auto name = [&] {
        return destination.kind == Destination::Kind::imported ? std::string(destination.name)
               : callee                                        ? program_.display_name(destination.address)
                                                               : std::string();
    };
    const bool is_external = destination.kind != Destination::Kind::local;
    const bool never = destination.kind == Destination::Kind::imported && returns(destination.name) == Returns::never;
    const bool wants_alignment =
        (is_external && !never) || (callee && summaries_[*callee].is_followed && summaries_[*callee].needs_alignment);
    const Value& rsp = state.at(Register::rsp);
    if (const auto alignment = rsp.alignment(); wants_alignment && alignment && *alignment != 0) {
        Fault& fault = tell(FaultKind::call_align, instruction.address);
        fault.amount = *alignment;
        fault.callee = name();
    } else if (wants_alignment && rsp.residue == Value::residue_in_doubt) {
        Fault& fault = tell(FaultKind::call_align, instruction.address);
        fault.amount = 8;
        fault.callee = name();
        fault.is_doubtful = true;
    }
    // gcc calls abort in no frame at all.
    const bool follows_convention =
        (is_external && !never) || (callee && program_.functions()[*callee].has_known_convention);
    const auto shadow = static_cast<std::int64_t>(convention_.shadow_space);
    const auto room = rooms_.find(rsp.base);
    const std::int64_t above = rsp.base == 0 ? 0 : room != rooms_.end() ? room->second : shadow;
    if (shadow != 0 && follows_convention && has_usual_frame() && rsp.offset - above + shadow > 0) {
        Fault& fault = tell(FaultKind::shadow_space, instruction.address);
        fault.amount = rsp.offset - above + shadow;
        fault.callee = name();
        fault.is_doubtful = rsp.offset > 0;  // within what was taken, of which it is not known how much it is
    }
    if (is_external && state.direction == Direction::set) {
        tell(FaultKind::direction_flag, instruction.address).callee = name();
    }
    if (destination.kind == Destination::Kind::imported && !never) {
        look_at_modes(state, instruction.address, destination.name);
        look_at_import(instruction, state, destination.name);
    }
}

void Analysis::look_at_kept(const State& state, std::uint64_t address) {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (convention_.kept.has(one) && !state.at(one).is_entry_of(one)) {
            tell(FaultKind::callee_saved, address).subject = one;
        }
        if (convention_.kept_vectors.has(number) && !state.kept_vectors.has(number)) {
            tell(FaultKind::callee_saved_vector, address).vector = static_cast<std::uint8_t>(number);
        }
    }
    if (state.direction != Direction::clear) {
        tell(FaultKind::direction_flag, address);
    }
    look_at_modes(state, address, {});
}

// Whatever a local function's convention is, `ret` takes an address: what lies above its own return address is its caller's, and
// what was saved of a register, or an address of the stack, is none. `push rax` and `ret` is a jump. Of others' code it is not
// known what is a function.
void Analysis::look_at_local_return(const State& state, std::uint64_t address) {
    if (!function_.is_assembled) {
        return;
    }
    const Value& rsp = state.at(Register::rsp);
    const Value top = state.load(rsp).value_or(Value{});
    const bool is_kept = top.kind == Value::Kind::entry && convention_.kept.has(static_cast<Register>(top.number));
    const bool is_untouched = rsp.offset >= state.untouched_from && rsp.offset < state.untouched_to;
    if (rsp.base == 0 && (rsp.offset > 0 || (rsp.offset < 0 && (is_kept || top.is_stack() || is_untouched)))) {
        tell(FaultKind::stack_balance, address).amount = rsp.offset;
    }
}

void Analysis::look_at_return(const State& state, std::uint64_t address) {
    const Value& rsp = state.at(Register::rsp);
    if (has_shadow_stack_ && rsp.base == 0 && rsp.offset < 0) {
        tell(FaultKind::return_elsewhere, address);
    }
    if (!function_.has_known_convention) {
        look_at_local_return(state, address);
        return;
    }
    if (rsp.base != 0 || rsp.offset != 0) {
        Fault& fault = tell(FaultKind::stack_balance, address);
        fault.amount = rsp.base == 0 ? rsp.offset : 0;
    }
    look_at_kept(state, address);
}

void Analysis::look_at_tail(const State& state, std::uint64_t address, const Destination& destination) {
    const bool never = destination.kind == Destination::Kind::imported && returns(destination.name) == Returns::never;
    if (!function_.has_known_convention || never) {
        return;
    }
    const auto callee = callee_of(destination);
    if (!callee) {
        look_at_return(state, address);
        return;
    }
    const Summary& summary = summaries_[*callee];
    if (summary.is_followed && !summary.returns) {
        return;
    }
    State behind = state;
    if (summary.is_followed && !program_.functions()[*callee].has_known_convention) {
        apply_summary(summary, behind);
        behind.at(Register::rsp) = state.at(Register::rsp);
    }
    look_at_return(behind, address);
}

}  // namespace nasm_build::inspect::abi
