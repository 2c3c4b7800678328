#include "inspect/code/walk.hpp"

#include <algorithm>

namespace nasm_build::inspect::code {

namespace {

class Walk {
public:
    Walk(const CodeMap& map, const Decoder& decoder, const std::function<void(const Walked&)>& visit)
        : map_(map), decoder_(decoder), visit_(visit) {
        for (const CodeSection& section : map.sections) {
            marks_.emplace_back(static_cast<std::size_t>(section.bytes.size()), std::uint8_t{0});
        }
        for (const Start& start : map.starts) {
            const CodeSection* const section = map.section_at(start.address);
            if (start.origin != Origin::pointer && section != nullptr) {
                mark(*section, start.address) |= boundary;
            }
        }
        steps_left_ = 16 + 4 * map.code_size();
    }

    std::uint64_t run() {
        for (const Origin origin : {Origin::function, Origin::label, Origin::pointer}) {
            for (const Start& start : map_.starts) {
                if (start.origin == origin) {
                    walk(start);
                }
            }
            walk_called();
        }
        if (map_.starts.empty()) {
            for (const CodeSection& section : map_.sections) {
                walk({section.address, 0, Origin::pointer, false, {}});
            }
            walk_called();
        }
        return not_decoded_;
    }

private:
    static constexpr std::uint8_t taken = 1;  ///< an instruction that was walked starts here
    static constexpr std::uint8_t boundary = 2;  ///< a function starts here

    [[nodiscard]] std::uint8_t& mark(const CodeSection& section, std::uint64_t address) {
        const auto index = static_cast<std::size_t>(&section - map_.sections.data());
        return marks_[index][static_cast<std::size_t>(address - section.address)];
    }
    [[nodiscard]] std::uint8_t& mark_here(std::uint64_t address) {
        return (*marks_here_)[static_cast<std::size_t>(address - section_->address)];
    }

    // Functions that only calls show: the local ones of a module without symbols.
    void walk_called() {
        while (!called_.empty()) {
            const std::uint64_t address = called_.back();
            called_.pop_back();
            walk({address, 0, Origin::label, false, {}});
        }
    }

    // A jump to another function's start leaves this one.
    [[nodiscard]] bool leaves(std::uint64_t target) {
        return target != start_.address &&
               (!section_->contains(target) || (mark_here(target) & boundary) != 0 ||
                (start_.size != 0 && (target < start_.address || target - start_.address >= start_.size)));
    }

    void call(std::uint64_t target) {
        const CodeSection* const section = map_.section_at(target);
        if (section != nullptr && !section->is_of_linker && (mark(*section, target) & boundary) == 0) {
            mark(*section, target) |= boundary;
            called_now_.push_back(target);
        }
    }

    void go_to(std::uint64_t target) {
        if (!leaves(target)) {
            pending_.push_back(target);
        }
    }

    // Takes one instruction; false where it is none, or one that programs do not have.
    bool take(std::uint64_t address, Instruction& instruction) {
        const std::uint64_t into = address - section_->address;
        const auto rest = section_->bytes.bytes().subspan(static_cast<std::size_t>(into));
        if (steps_left_ == 0 || !decoder_.decode(rest, address, instruction) ||
            instruction.does == Does::is_privileged) {
            return false;
        }
        --steps_left_;
        mark_here(address) |= taken;
        walked_.instructions.push_back(instruction);
        return true;
    }

    // From an address on, until control goes elsewhere; false when the bytes are no code.
    bool follow(std::uint64_t address) {
        bool is_behind_call = false;  // which may not return, so that what follows is padding
        while (section_->contains(address)) {
            if ((mark_here(address) & taken) != 0) {
                return true;
            }
            Instruction instruction;
            if (!take(address, instruction)) {
                return false;
            }
            address += instruction.length;
            is_behind_call = instruction.flow == Flow::call || (is_behind_call && instruction.does == Does::nothing);
            switch (instruction.flow) {
                case Flow::next:
                    break;
                case Flow::call:
                    if (instruction.is_direct) {
                        call(instruction.target);
                    }
                    break;
                case Flow::branch:
                    go_to(instruction.target);
                    break;
                case Flow::jump:
                    if (instruction.is_direct) {
                        go_to(instruction.target);
                    } else if (!instruction.is_through_memory) {
                        has_switch_ = true;
                    }
                    return true;
                case Flow::ends:
                    return true;
            }
            if (section_->contains(address) && leaves(address)) {
                break;
            }
        }
        // Into the next function, or out of the section: code for certain may do so. Of a label it says that it is more likely a
        // table, unless the last call does not return.
        return start_.origin == Origin::function || is_behind_call;
    }

    // The cases of a switch, which only a table names: what lies between the instructions found so far, where the bounds of the
    // function are known and all of it decodes.
    void fill_gaps() {
        const std::uint64_t end = std::min(start_.address + start_.size, section_->address + section_->bytes.size());
        const std::size_t before = walked_.instructions.size();
        for (std::uint64_t address = start_.address; address < end;) {
            const bool is_taken = (mark_here(address) & taken) != 0;
            Instruction instruction;
            const auto rest = section_->bytes.bytes().subspan(static_cast<std::size_t>(address - section_->address));
            const bool decodes = is_taken ? decoder_.decode(rest, address, instruction) : take(address, instruction);
            if (!decodes || steps_left_ == 0 || instruction.length > end - address) {
                walked_.instructions.resize(before);
                return;
            }
            --steps_left_;
            if (!is_taken && instruction.flow == Flow::call && instruction.is_direct) {
                call(instruction.target);
            }
            address += instruction.length;
        }
    }

    void walk(const Start& start) {
        section_ = map_.section_at(start.address);
        if (section_ == nullptr || section_->is_of_linker) {
            return;
        }
        marks_here_ = &marks_[static_cast<std::size_t>(section_ - map_.sections.data())];
        if ((mark_here(start.address) & taken) != 0) {
            return;
        }
        start_ = start;
        walked_.start = start;
        walked_.instructions.clear();
        called_now_.clear();
        has_switch_ = false;
        pending_ = {start.address};
        while (!pending_.empty()) {
            const std::uint64_t address = pending_.back();
            pending_.pop_back();
            if (!follow(address)) {
                give_up();
                return;
            }
        }
        if (has_switch_ && start.size != 0 && !map_.may_have_tables_in_functions) {
            fill_gaps();
        }
        std::sort(walked_.instructions.begin(), walked_.instructions.end(),
                  [](const Instruction& one, const Instruction& other) { return one.address < other.address; });
        called_.insert(called_.end(), called_now_.begin(), called_now_.end());
        visit_(walked_);
    }

    void give_up() {
        pending_.clear();
        for (const Instruction& instruction : walked_.instructions) {
            mark_here(instruction.address) &= static_cast<std::uint8_t>(~taken);
        }
        for (const std::uint64_t target : called_now_) {
            mark(*map_.section_at(target), target) &= static_cast<std::uint8_t>(~boundary);
        }
        if (start_.origin == Origin::function) {
            ++not_decoded_;
        }
    }

    const CodeMap& map_;
    const Decoder& decoder_;
    const std::function<void(const Walked&)>& visit_;
    std::vector<std::vector<std::uint8_t>> marks_;  ///< by section, one a byte
    std::uint64_t steps_left_ = 0;  ///< a lying file may name starts and sizes that lie over each other
    std::vector<std::uint64_t> called_;
    std::uint64_t not_decoded_ = 0;

    // Of the function that is being walked:
    Start start_;
    const CodeSection* section_ = nullptr;
    std::vector<std::uint8_t>* marks_here_ = nullptr;
    Walked walked_;
    std::vector<std::uint64_t> pending_;
    std::vector<std::uint64_t> called_now_;
    bool has_switch_ = false;
};

}  // namespace

std::uint64_t for_each_function(const CodeMap& map, const Decoder& decoder,
                                const std::function<void(const Walked&)>& visit) {
    return Walk(map, decoder, visit).run();
}

}  // namespace nasm_build::inspect::code
