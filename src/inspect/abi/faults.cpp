// The looks that the analysis takes once its states are known: what is wrong at an instruction, and how control comes there.
#include <algorithm>
#include <deque>
#include <map>
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
        return {};
    }
    is_looking_ = true;
    std::vector<std::uint64_t> starts;
    for (const auto& [address, block] : blocks_) {
        starts.push_back(address);
    }
    for (const std::uint64_t address : starts) {
        block_ = address;
        walk(address, blocks_.at(address).state);
    }
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
    // To explain is to follow the code once more, which tells what it sees: to a list that nobody reads.
    std::vector<Fault> found = std::exchange(faults_, {});
    for (Fault& fault : found) {
        explain(fault);
    }
    return found;
}

void Analysis::look(const Instruction& instruction, const State& state) {
    look_at_reads(instruction, state);
    look_below(instruction, state);
    if (instruction.action == Action::call) {
        look_at_call(instruction, state);
    } else if (instruction.action == Action::ret) {
        look_at_return(state, instruction.address);
    }
}

void Analysis::look_at_reads(const Instruction& instruction, const State& state) {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (instruction.reads.has(one) && state.at(one).kind == Value::Kind::destroyed) {
            tell(FaultKind::volatile_after_call, instruction.address).subject = one;
        }
        if (instruction.vector_reads.has(number) && state.destroyed_vectors.has(number)) {
            tell(FaultKind::volatile_after_call, instruction.address).vector = static_cast<std::uint8_t>(number);
        }
    }
}

void Analysis::look_below(const Instruction& instruction, const State& state) {
    const Memory& memory = instruction.memory;
    const Value& rsp = state.at(Register::rsp);
    if (!memory.is_used || instruction.action == Action::compute_address) {
        return;
    }
    const Value address = address_of(memory, state);
    const bool is_probe = memory.is_read && memory.is_written;  // or qword [rsp - 4096], 0
    if (!address.is_stack() || address.base != rsp.base || is_probe) {
        return;
    }
    const std::int64_t below = rsp.offset - address.offset;
    if (below > static_cast<std::int64_t>(convention_.red_zone)) {
        tell(FaultKind::red_zone, instruction.address).amount = below;
    }
}

void Analysis::look_at_call(const Instruction& instruction, const State& state) {
    if (instruction.is_direct && instruction.target == instruction.next()) {
        return;
    }
    const Destination destination = program_.destination_of(instruction);
    const auto callee = callee_of(destination);
    const std::string name = destination.kind == Destination::Kind::imported ? std::string(destination.name)
                             : callee ? program_.display_name(destination.address)
                                      : std::string();
    const bool is_external = destination.kind != Destination::Kind::local;
    const bool never = destination.kind == Destination::Kind::imported && returns(destination.name) == Returns::never;
    const bool wants_alignment =
        (is_external && !never) || (callee && summaries_[*callee].is_followed && summaries_[*callee].needs_alignment);
    const Value& rsp = state.at(Register::rsp);
    if (const auto alignment = rsp.alignment(); wants_alignment && alignment && *alignment != 0) {
        Fault& fault = tell(FaultKind::call_align, instruction.address);
        fault.amount = *alignment;
        fault.callee = name;
    }
    const bool follows_convention = is_external || (callee && program_.functions()[*callee].has_known_convention);
    const auto shadow = static_cast<std::int64_t>(convention_.shadow_space);
    if (follows_convention && shadow != 0 && rsp.base == 0 && rsp.offset + shadow > 0) {
        Fault& fault = tell(FaultKind::shadow_space, instruction.address);
        fault.amount = rsp.offset + shadow;
        fault.callee = name;
    }
    if (is_external && state.direction == Direction::set) {
        tell(FaultKind::direction_flag, instruction.address).callee = name;
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
}

void Analysis::look_at_return(const State& state, std::uint64_t address) {
    if (!function_.has_known_convention) {
        return;
    }
    const Value& rsp = state.at(Register::rsp);
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

// -- how control comes there --------------------------------------------------------------------------------------------

Analysis::Passage Analysis::pass(std::uint64_t block, Register subject, bool is_changed, std::uint64_t until) {
    Passage passage;
    State state = blocks_.at(block).state;
    if (subject != Register::none && subject != Register::rsp) {
        state.at(subject) = is_changed ? Value{} : Value::entry(subject);
    }
    compared_ = {};
    for (std::uint64_t at = block;;) {
        const Instruction* const found = program_.instruction_at(at);
        if (found == nullptr) {
            return passage;
        }
        const Instruction instruction = *found;
        if (at == until) {
            passage.reaches = true;
            break;
        }
        if (instruction.action == Action::call) {
            const Destination destination = program_.destination_of(instruction);
            if (destination.kind == Destination::Kind::imported && returns(destination.name) == Returns::assumed) {
                passage.assumes = destination.name;
            }
        }
        const Value before = subject == Register::none ? Value{} : state.at(subject);
        const bool goes_on = step(instruction, state);
        const bool changes =
            subject != Register::none && before.is_entry_of(subject) && !state.at(subject).is_entry_of(subject);
        passage.written = changes ? instruction.address : passage.written;
        at = instruction.next();
        if (!goes_on || program_.is_leader(at)) {
            break;
        }
    }
    passage.is_changed = subject != Register::none && !state.at(subject).is_entry_of(subject);
    return passage;
}

// Breadth first over blocks, twice where a register is concerned: with its value of entry, and with another one.
std::vector<Analysis::Visit> Analysis::way_to(std::uint64_t address, Register subject, bool with_assumptions) {
    std::vector<Visit> visits{{function_.address, 0, 0, false, {}}};
    std::map<std::pair<std::uint64_t, bool>, bool> seen{{{function_.address, false}, true}};
    const bool matters = subject != Register::none && subject != Register::rsp;
    for (std::size_t index = 0; index < visits.size(); ++index) {
        const Visit here = visits[index];
        visits[index].passage = pass(here.block, matters ? subject : Register::none, here.is_changed, address);
        const Passage& passage = visits[index].passage;
        if (passage.reaches && (!matters || passage.is_changed)) {
            std::vector<Visit> way;
            for (std::size_t back = index;; back = visits[back].before) {
                way.push_back(visits[back]);
                if (back == 0) {
                    break;
                }
            }
            std::reverse(way.begin(), way.end());
            return way;
        }
        if (!with_assumptions && !passage.assumes.empty()) {
            continue;
        }
        const bool is_changed = passage.is_changed;  // of a visit, which moves when the list grows
        for (const auto& [target, by] : blocks_.at(here.block).edges) {
            if (seen.try_emplace({target, is_changed}, true).second) {
                visits.push_back({target, index, by, is_changed, {}});
            }
        }
    }
    return {};
}

void Analysis::explain(Fault& fault) {
    const bool is_about_register = fault.kind == FaultKind::callee_saved;
    const Register subject = is_about_register ? fault.subject : Register::none;
    std::vector<Visit> way = way_to(fault.address, subject, false);
    if (way.empty()) {
        way = way_to(fault.address, subject, true);
        for (const Visit& visit : way) {
            if (!visit.passage.assumes.empty()) {
                fault.assumes = visit.passage.assumes;
            }
        }
    }
    for (const Visit& visit : way) {
        if (visit.by != 0) {
            fault.path.push_back({visit.by, "jump taken", {}, {}});
        }
        if (is_about_register && visit.passage.written != 0) {
            fault.path.push_back(
                {visit.passage.written, std::string(name_of(fault.subject)) + " written here", {}, {}});
        }
    }
}

}  // namespace nasm_build::inspect::abi
