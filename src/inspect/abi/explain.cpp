// How control comes to a fault: the shortest way from the function's start, with what it does to the register in question.
#include <algorithm>
#include <map>
#include <utility>

#include "inspect/abi/analysis.hpp"
#include "inspect/abi/imports.hpp"

namespace nasm_build::inspect::abi {

Analysis::Passage Analysis::pass(const Block& block, Register subject, bool is_changed, std::uint64_t until) {
    Passage passage;
    reason_.clear();  // what a way with another value in a register meets is no reason against the function
    State state = block.state;
    if (subject != Register::none && subject != Register::rsp) {
        state.at(subject) = is_changed ? Value{} : Value::entry(subject);
    }
    compared_ = {};
    for (std::uint64_t at = block.address;;) {
        const Instruction* const found = program_.instruction_at(at);
        if (found == nullptr) {
            return passage;
        }
        const Instruction& instruction = *found;
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
        if (!goes_on || begins_block(at)) {
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
        const Block* const block = blocks_.find(here.block);
        if (block == nullptr) {
            continue;  // of a function that was given up, not every block was walked
        }
        visits[index].passage = pass(*block, matters ? subject : Register::none, here.is_changed, address);
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
        const auto first = std::partition_point(edges_.begin(), edges_.end(),
                                                [&](const Edge& edge) { return edge.from < here.block; });
        for (auto edge = first; edge != edges_.end() && edge->from == here.block; ++edge) {
            if (seen.try_emplace({edge->to, is_changed}, true).second) {
                visits.push_back({edge->to, index, edge->by, is_changed, {}});
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
