// Which entries of an unwind table are parts of functions, and none by themselves, in a module whose symbols were stripped.
//
// gcc moves what is rarely run of a function into a part of its own (`.cold`). Where a jump leads there with the frame of a function
// that was called just now, the unwind table does not tell it from one, and no name does. But nobody calls a part, and nothing
// takes its address: code jumps there.
#include <algorithm>

#include "inspect/abi/program.hpp"

namespace nasm_build::inspect::abi {

void Program::find_parts() {
    std::vector<std::uint64_t> candidates;  // by address, as functions are before calls add to them
    for (const Function& function : functions_) {
        const bool is_nameless = function.name.empty() && !function.has_known_convention && !function.is_label;
        if (is_nameless && !function.is_part) {
            candidates.push_back(function.address);
        }
    }
    if (image_.format != Format::elf || candidates.empty()) {
        return;
    }
    std::vector<std::uint64_t> referenced = sweep();
    for (const Pointer& pointer : image_.contents.pointers) {
        referenced.push_back(pointer.target);
    }
    std::sort(referenced.begin(), referenced.end());
    for (const std::uint64_t address : candidates) {
        functions_[by_address_.at(address)].is_part =
            !std::binary_search(referenced.begin(), referenced.end(), address);
    }
}

// What calls lead to and what code takes the address of, from each start to the next: wherever tables lie between functions, the
// next start is in step again.
std::vector<std::uint64_t> Program::sweep() {
    std::vector<std::uint64_t> starts;
    for (const Function& function : functions_) {
        starts.push_back(function.address);
    }
    std::sort(starts.begin(), starts.end());
    std::vector<std::uint64_t> referenced;
    for (const code::CodeSection& section : map_.sections) {
        const std::uint64_t end = section.address + section.bytes.size();
        for (std::uint64_t at = section.address; at < end;) {
            const Instruction* const found = instruction_at(at);
            const auto next = std::upper_bound(starts.begin(), starts.end(), at);
            const std::uint64_t limit = next == starts.end() ? end : std::min(*next, end);
            if (found == nullptr) {
                ++at;
                continue;
            }
            const Memory& memory = found->memory;
            if (found->action == Action::call && found->is_direct) {
                referenced.push_back(found->target);
            } else if (memory.has_no_register() && (memory.is_used || found->action == Action::compute_address)) {
                referenced.push_back(static_cast<std::uint64_t>(memory.displacement));
            }
            at = std::min(found->next(), limit);
        }
    }
    return referenced;
}

}  // namespace nasm_build::inspect::abi
