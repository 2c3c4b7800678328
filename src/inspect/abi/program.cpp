#include "inspect/abi/program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inspect/abi/known.hpp"
#include "inspect/memory.hpp"

namespace nasm_build::inspect::abi {

namespace {

constexpr std::uint32_t not_yet = 0, no_instruction = 1, first_index = 2;

}  // namespace

Program::Program(const code::CodeMap& map, const Image& image, const Sources* sources)
    : map_(map), sources_(sources), image_(image) {
    for (const code::CodeSection& section : map.sections) {
        const auto size = static_cast<std::size_t>(section.bytes.size());
        decoded_.emplace_back(size, not_yet);
        leaders_.emplace_back(size, false);
        explored_.emplace_back(size, 0U);
    }
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
    for (Function& function : functions_) {
        function.is_assembled = sources != nullptr && sources->covers(function.address);
    }
    std::sort(named_.begin(), named_.end());
}

Function& Program::add_function(std::uint64_t address, std::uint64_t size, std::string_view name) {
    const auto [found, is_new] = by_address_.try_emplace(address, functions_.size());
    if (is_new) {
        functions_.push_back({address, 0, {}, false, std::nullopt, false, false, false});
        make_leader(address);
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

std::optional<Program::Place> Program::place_of(std::uint64_t address) const {
    const code::CodeSection* const section = map_.section_at(address);
    if (section == nullptr) {
        return std::nullopt;
    }
    return Place{static_cast<std::size_t>(section - map_.sections.data()),
                 static_cast<std::size_t>(address - section->address)};
}

std::optional<std::size_t> Program::index_of(std::uint64_t address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? std::nullopt : std::optional(found->second);
}

const Function* Program::function_at(std::uint64_t address) const {
    // Asked behind every instruction: each function starts where ways meet, and that is a bit.
    if (!is_leader(address)) {
        return nullptr;
    }
    const auto index = index_of(address);
    const bool is_one = index && !functions_[*index].is_part && !functions_[*index].is_label;
    return is_one ? &functions_[*index] : nullptr;
}

const Instruction* Program::instruction_at(std::uint64_t address) {
    const auto place = place_of(address);
    if (!place) {
        return nullptr;
    }
    std::uint32_t& entry = decoded_[place->section][place->offset];
    if (entry == not_yet) {
        Instruction instruction;
        const auto rest = map_.sections[place->section].bytes.bytes().subspan(place->offset);
        entry = no_instruction;
        if (decode(rest, address, instruction)) {
            entry = static_cast<std::uint32_t>(instructions_.size()) + first_index;
            instructions_.push_back(instruction);
        }
    }
    return entry == no_instruction ? nullptr : &instructions_[entry - first_index];
}

bool Program::is_leader(std::uint64_t address) const {
    const auto place = place_of(address);
    return place && leaders_[place->section][place->offset];
}

void Program::make_leader(std::uint64_t address) {
    if (const auto place = place_of(address)) {
        leaders_[place->section][place->offset] = true;
    }
}

void Program::note_names(const Instruction& instruction) {
    const Memory& memory = instruction.memory;
    const bool is_address = memory.is_used || instruction.action == Action::compute_address;
    if (is_address && memory.has_no_register()) {
        named_.push_back(static_cast<std::uint64_t>(memory.displacement));
    }
}

std::vector<std::uint64_t> Program::explore(std::size_t function) {
    const std::uint64_t own = functions_[function].address;
    const auto stamp = static_cast<std::uint32_t>(function + 1);
    std::vector<std::uint64_t> called;
    std::vector<std::uint64_t> pending{own};
    while (!pending.empty()) {
        std::uint64_t at = pending.back();
        pending.pop_back();
        for (;;) {
            const auto place = place_of(at);
            if (!place || explored_[place->section][place->offset] == stamp) {
                break;
            }
            if (at != own && function_at(at) != nullptr) {
                called.push_back(at);
                break;
            }
            explored_[place->section][place->offset] = stamp;
            const Instruction* const found = instruction_at(at);
            if (found == nullptr) {
                break;
            }
            const Instruction instruction = *found;
            note_names(instruction);
            // `call next` and `pop`: no function, but a way to learn where the code lies.
            if (instruction.action == Action::call && instruction.is_direct &&
                instruction.target != instruction.next()) {
                called.push_back(instruction.target);
            }
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
    std::sort(called.begin(), called.end());
    called.erase(std::unique(called.begin(), called.end()), called.end());
    return called;
}

void Program::find_called_functions() {
    std::vector<std::vector<std::uint64_t>> called;
    for (std::size_t index = 0; index < functions_.size(); ++index) {
        called.push_back(explore(index));
        for (const std::uint64_t target : called.back()) {
            const auto place = place_of(target);
            if (place && !map_.sections[place->section].is_of_linker) {
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
    for (std::size_t old = 0; old < called.size(); ++old) {
        std::vector<std::size_t>& callees = callees_[by_address_.at(by_old_index[old])];
        for (const std::uint64_t target : called[old]) {
            if (const auto index = index_of(target)) {
                callees.push_back(*index);
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
        const auto place = place_of(instruction.target);
        if (!place) {
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
                const Destination behind = through(static_cast<std::uint64_t>(stub->memory.displacement),
                                                   map_.sections[place->section].is_of_linker);
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
