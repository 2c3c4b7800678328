#include "inspect/abi/program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inspect/abi/known.hpp"
#include "inspect/memory.hpp"

namespace nasm_build::inspect::abi {

Program::Program(const code::CodeMap& map, const Image& image, const Sources* sources)
    : map_(map), sources_(sources), image_(image) {
    std::size_t size = 0;
    for (const code::CodeSection& section : map.sections) {
        extents_.push_back({section.address, section.bytes.size(), size});
        size += static_cast<std::size_t>(section.bytes.size());
    }
    decoded_.resize(size, not_yet);
    marks_.resize(size, 0);
    numbers_.resize(size, 0);
    for (const Export& one : image.exports) {
        exports_.emplace(one.name, one.address);
    }
    for (const code::Start& start : map.empty_parts) {
        empty_parts_.emplace(start.address, start.name);
    }
    for (const code::Start& start : map.starts) {
        if (start.origin != code::Origin::pointer) {
            Function& function = add_function(start.address, start.size, start.name);
            function.is_part = start.is_part;
            function.is_label = start.origin == code::Origin::label;
        }
    }
    for (const Export& one : image.exports) {
        const bool is_function = image.format != Format::elf || one.kind == SymbolKind::function ||
                                 one.kind == SymbolKind::indirect_function;
        if (is_function && one.forwarded_to.empty() && is_code(one.address)) {
            Function& function = add_known_function(one.address, one.size, one.name);
            if (one.name.starts_with("PyInit_") || one.name.starts_with("PyModExport_")) {
                function.parameters = 0;
            }
        }
    }
    const KnownFromTables known = known_from_tables(image);
    is_shared_ = known.goes_without_lock || known.goes_with_interpreters;
    for (const TableFunction& one : known.functions) {
        add_known_function(one.address, 0, {}).parameters = one.parameters;
    }
    if (sources != nullptr) {
        for (const Sources::GlobalFunction& one : sources->globals()) {
            add_known_function(one.address, 0, one.name);
        }
    }
    find_parts();
    find_called_functions();
    std::fill(numbers_.begin(), numbers_.end(), 0U);
    for (Function& function : functions_) {
        function.is_assembled = sources != nullptr && sources->covers(function.address);
    }
    std::sort(named_.begin(), named_.end());
}

Function& Program::add_function(std::uint64_t address, std::uint64_t size, std::string_view name) {
    const auto [found, is_new] = by_address_.try_emplace(address, functions_.size());
    if (is_new) {
        functions_.push_back({address, 0, {}, false, std::nullopt, false, false, false});
        mark(address, starts_block);
        mark(address, starts_function);
    }
    Function& function = functions_[found->second];
    function.end = std::max(function.end, size == 0 ? 0 : address + size);
    if (function.name.empty()) {
        function.name = name;
    }
    return function;
}

Function& Program::add_known_function(std::uint64_t address, std::uint64_t size, std::string_view name) {
    Function& function = add_function(address, size, name);
    function.has_known_convention = true;
    function.is_label = false;
    function.is_part = false;
    return function;
}

std::size_t Program::find_position(std::uint64_t address) const {
    const code::CodeSection* const section = map_.section_at(address);
    if (section == nullptr) {
        return no_position;
    }
    extent_ = extents_[static_cast<std::size_t>(section - map_.sections.data())];
    return extent_.position + static_cast<std::size_t>(address - extent_.address);
}

bool Program::is_of_linker(std::uint64_t address) const {
    const code::CodeSection* const section = map_.section_at(address);
    return section != nullptr && section->is_of_linker;
}

std::optional<std::size_t> Program::index_of(std::uint64_t address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? std::nullopt : std::optional(found->second);
}

const Function* Program::function_at(std::uint64_t address) const {
    if (!has_mark(address, starts_function)) {  // asked behind every instruction
        return nullptr;
    }
    const auto index = index_of(address);
    const bool is_one = index && !functions_[*index].is_part && !functions_[*index].is_label;
    return is_one ? &functions_[*index] : nullptr;
}

const Instruction* Program::decode_at(std::uint64_t address, std::size_t position) {
    if (decoded_[position] == no_instruction) {
        return nullptr;
    }
    const code::CodeSection& section = *map_.section_at(address);
    const auto rest = section.bytes.bytes().subspan(static_cast<std::size_t>(address - section.address));
    Instruction instruction;
    if (!decode(rest, address, instruction)) {
        decoded_[position] = no_instruction;
        return nullptr;
    }
    decoded_[position] = static_cast<std::uint32_t>(instructions_.size()) + first_index;
    instructions_.add(instruction);
    return &instructions_.at(instructions_.size() - 1);
}

void Program::note_names(const Instruction& instruction) {
    const Memory& memory = instruction.memory;
    const bool is_address = memory.is_used || instruction.action == Action::compute_address;
    if (is_address && memory.has_no_register()) {
        named_.push_back(static_cast<std::uint64_t>(memory.displacement));
    }
}

Program::Explored Program::explore(std::size_t function) {
    const std::uint64_t own = functions_[function].address;
    const auto stamp = static_cast<std::uint32_t>(function + 1);
    Explored explored;
    std::vector<std::uint64_t> pending{own};
    while (!pending.empty()) {
        std::uint64_t at = pending.back();
        pending.pop_back();
        for (;;) {
            const std::size_t position = position_of(at);
            if (position == no_position || numbers_[position] == stamp) {
                break;
            }
            if (at != own && function_at(at) != nullptr) {
                explored.called.push_back(at);
                break;
            }
            numbers_[position] = stamp;
            const Instruction* const found = instruction_at(at);
            if (found == nullptr) {
                break;
            }
            const Instruction& instruction = *found;
            note_names(instruction);
            // `call next` and `pop`: no function, but a way to learn where the code lies.
            if (instruction.action == Action::call && instruction.is_direct &&
                instruction.target != instruction.next()) {
                explored.called.push_back(instruction.target);
            }
            note_destination(instruction, explored);
            const bool goes = instruction.action == Action::branch || instruction.action == Action::jump;
            if (goes && instruction.is_direct) {
                make_leader(instruction.target);
                pending.push_back(instruction.target);
            }
            if (instruction.action == Action::jump || instruction.action == Action::ret ||
                instruction.action == Action::trap) {
                break;
            }
            at = instruction.next();
        }
    }
    for (std::vector<std::uint64_t>* const addresses : {&explored.called, &explored.through_memory}) {
        std::sort(addresses->begin(), addresses->end());
        addresses->erase(std::unique(addresses->begin(), addresses->end()), addresses->end());
        addresses->shrink_to_fit();  // kept until all functions are known
    }
    return explored;
}

// A shared library calls its own exports by stubs, which lead through memory.
void Program::note_destination(const Instruction& instruction, Explored& explored) {
    if (instruction.action != Action::call && instruction.action != Action::jump) {
        return;
    }
    const Destination destination = destination_of(instruction);
    if (destination.kind == Destination::Kind::local &&
        !(instruction.is_direct && destination.address == instruction.target)) {
        explored.through_memory.push_back(destination.address);
    }
}

void Program::find_called_functions() {
    std::vector<Explored> explored;
    for (std::size_t index = 0; index < functions_.size(); ++index) {
        explored.push_back(explore(index));
        for (const std::uint64_t target : explored.back().called) {
            if (is_code(target) && !is_of_linker(target)) {
                add_function(target, 0, {}).is_label = false;
            }
        }
    }
    std::vector<std::uint64_t> by_old_index;
    for (const Function& function : functions_) {
        by_old_index.push_back(function.address);
    }
    std::sort(functions_.begin(), functions_.end(),
              [](const Function& one, const Function& other) { return one.address < other.address; });
    for (std::size_t index = 0; index < functions_.size(); ++index) {
        by_address_[functions_[index].address] = index;
    }
    callees_.resize(functions_.size());
    for (std::size_t old = 0; old < explored.size(); ++old) {
        std::vector<std::size_t>& callees = callees_[by_address_.at(by_old_index[old])];
        for (const auto* targets : {&explored[old].called, &explored[old].through_memory}) {
            for (const std::uint64_t target : *targets) {
                if (const auto index = index_of(target)) {
                    callees.push_back(*index);
                }
            }
        }
    }
}

std::uint64_t Program::end_of(const Function& function) const {
    if (function.end != 0) {
        return function.end;
    }
    auto index = static_cast<std::size_t>(&function - functions_.data()) + 1;
    while (index < functions_.size() && (functions_[index].is_part || functions_[index].is_label)) {
        ++index;
    }
    const code::CodeSection* const section = map_.section_at(function.address);
    const std::uint64_t section_end = section == nullptr ? function.address : section->address + section->bytes.size();
    return index < functions_.size() ? std::min(functions_[index].address, section_end) : section_end;
}

bool Program::is_nowhere(std::uint64_t address, const Function& function) const {
    if (empty_parts_.empty()) {
        return false;
    }
    const auto [first, last] = empty_parts_.equal_range(address);
    return std::any_of(first, last, [&](const auto& one) {
        return one.second.size() == function.name.size() + 5 && one.second.starts_with(function.name);
    });
}

bool Program::is_in_part(std::uint64_t address) const {
    auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                  [](std::uint64_t where, const Function& one) { return where < one.address; });
    return after != functions_.begin() && std::prev(after)->is_part;
}

std::uint64_t Program::next_named(std::uint64_t address) const {
    const auto after = std::upper_bound(named_.begin(), named_.end(), address);
    return after == named_.end() ? ~std::uint64_t{0} : *after;
}

Destination Program::through(std::uint64_t place, bool by_linker) const {
    const auto word = word_at(image_, place);
    if (!word) {
        return {};
    }
    if (word->kind == Word::Kind::symbol) {
        const auto own = exports_.find(word->symbol);
        if (own != exports_.end() && is_code(own->second)) {
            return {Destination::Kind::local, own->second, word->symbol};
        }
        return {Destination::Kind::imported, 0, word->symbol};
    }
    // What code may overwrite is no fixed destination; the linker's own table is the loader's alone, though writable where it
    // binds late.
    const bool is_fixed = word->kind == Word::Kind::address && (by_linker || !is_writable(image_, place));
    return is_fixed ? Destination{Destination::Kind::local, word->value, {}} : Destination{};
}

Destination Program::destination_of(const Instruction& instruction) {
    if (instruction.is_direct) {
        if (!is_code(instruction.target)) {
            return {};
        }
        // A stub, of the linker's or a compiler's: at the most an endbr64, and a jump through memory.
        std::uint64_t at = instruction.target;
        for (unsigned count = 0; count < 2; ++count) {
            const Instruction* const stub = instruction_at(at);
            if (stub == nullptr) {
                break;
            }
            const bool jumps = stub->action == Action::jump && !stub->is_direct && stub->memory.is_used &&
                               stub->memory.has_no_register();
            if (jumps) {
                const Destination behind =
                    through(static_cast<std::uint64_t>(stub->memory.displacement), is_of_linker(instruction.target));
                return behind.kind == Destination::Kind::unknown
                           ? Destination{Destination::Kind::local, instruction.target, {}}
                           : behind;
            }
            if (stub->action != Action::other || !stub->writes.empty()) {
                break;
            }
            at = stub->next();
        }
        return {Destination::Kind::local, instruction.target, {}};
    }
    const Memory& memory = instruction.memory;
    if (memory.is_used && memory.has_no_register() && !memory.is_segment) {
        return through(static_cast<std::uint64_t>(memory.displacement), false);
    }
    return {};
}

std::string Program::display_name(std::uint64_t address) const {
    const auto index = index_of(address);
    if (index && !functions_[*index].name.empty()) {
        return functions_[*index].name;
    }
    return fmt::format("the function at 0x{:x}", address);
}

SourceLine Program::source_at(std::uint64_t address) const {
    return sources_ == nullptr ? SourceLine{} : sources_->line_at(address).value_or(SourceLine{});
}

std::string Program::location(const Function& function, std::uint64_t address) const {
    if (function.name.empty() || address < function.address) {
        return fmt::format("0x{:x}", address);
    }
    return fmt::format("{}+0x{:x}", function.name, address - function.address);
}

}  // namespace nasm_build::inspect::abi
