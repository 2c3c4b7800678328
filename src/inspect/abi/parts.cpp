// Which entries of an unwind table are parts of functions, and none by themselves, in a module whose symbols were stripped.
//
// gcc moves what is rarely run of a function into a part of its own (`.cold`). Where a jump leads there with the frame of a function
// that was called just now, the unwind table does not tell it from one, and no name does. But nobody calls a part, and nothing
// takes its address: code jumps there. On Windows OpenSSL's assembler lets entries begin behind the first instructions of a
// function, which run on into them.
#include <algorithm>

#include "inspect/abi/program.hpp"

namespace nasm_build::inspect::abi {

void Program::find_parts() {
    std::vector<std::uint64_t> candidates;
    for (const Function& function : functions_) {
        const bool is_nameless = function.name.empty() && !function.has_known_convention && !function.is_label;
        if (is_nameless && !function.is_part) {
            candidates.push_back(function.address);
        }
    }
    const bool is_elf = image_.format == Format::elf;
    if (candidates.empty() || !(is_elf || image_.format == Format::pe)) {
        return;
    }
    Swept swept = sweep();
    for (const Pointer& pointer : image_.contents.pointers) {
        swept.referenced.push_back(pointer.target);
    }
    if (!is_elf) {
        swept.referenced.insert(swept.referenced.end(), swept.jumped_to.begin(), swept.jumped_to.end());
    }
    std::sort(swept.referenced.begin(), swept.referenced.end());
    std::sort(swept.run_into.begin(), swept.run_into.end());
    for (const std::uint64_t address : candidates) {
        const auto is_among = [address](const std::vector<std::uint64_t>& all) {
            return std::binary_search(all.begin(), all.end(), address);
        };
        functions_[by_address_.at(address)].is_part =
            !is_among(swept.referenced) && (is_elf || is_among(swept.run_into));
    }
}

// From each start to the next: wherever tables lie between functions, the next start is in step again.
Program::Swept Program::sweep() {
    std::vector<std::uint64_t> starts;
    for (const Function& function : functions_) {
        starts.push_back(function.address);
    }
    std::sort(starts.begin(), starts.end());
    Swept swept;
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
            const bool ends = found->action == Action::jump || found->action == Action::ret ||
                              found->action == Action::trap || found->action == Action::call || found->is_padding;
            if (found->action == Action::call && found->is_direct && found->target != found->next()) {
                swept.referenced.push_back(found->target);
            } else if (found->action == Action::jump && found->is_direct) {
                swept.jumped_to.push_back(found->target);
            } else if (memory.has_no_register() && (memory.is_used || found->action == Action::compute_address)) {
                swept.referenced.push_back(static_cast<std::uint64_t>(memory.displacement));
            }
            if (!ends && found->next() == limit) {
                swept.run_into.push_back(limit);
            }
            at = std::min(found->next(), limit);
        }
    }
    return swept;
}

}  // namespace nasm_build::inspect::abi
