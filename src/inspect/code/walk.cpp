#include "inspect/code/walk.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "inspect/code/plain.hpp"

namespace nasm_build::inspect::code {

namespace {

// A bit for each byte of a section.
class Bits {
public:
    explicit Bits(std::size_t size) : words_(size / 64 + 1) {}
    [[nodiscard]] bool has(std::size_t index) const { return (words_[index / 64] >> (index % 64) & 1U) != 0; }
    void set(std::size_t index) { words_[index / 64] |= std::uint64_t{1} << (index % 64); }
    void clear(std::size_t index) { words_[index / 64] &= ~(std::uint64_t{1} << (index % 64)); }

private:
    std::vector<std::uint64_t> words_;
};

class Walk {
public:
    Walk(const CodeMap& map, const Decoder& decoder, FunctionSink& sink)
        : map_(map), decoder_(decoder), sink_(sink), wants_plain_(sink.wants_plain()) {
        for (const CodeSection& section : map.sections) {
            const auto size = static_cast<std::size_t>(section.bytes.size());
            marks_.push_back({Bits(size), Bits(size)});
        }
        for (const Start& start : map.starts) {
            const CodeSection* const section = map.section_at(start.address);
            if (start.origin != Origin::pointer && section != nullptr) {
                marks_of(*section).functions.set(index_in(*section, start.address));
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
    // Of each byte of a section: whether an instruction that was walked starts there, and whether a function does.
    struct Marks {
        Bits taken;
        Bits functions;
    };

    [[nodiscard]] Marks& marks_of(const CodeSection& section) {
        return marks_[static_cast<std::size_t>(&section - map_.sections.data())];
    }
    [[nodiscard]] static std::size_t index_in(const CodeSection& section, std::uint64_t address) {
        return static_cast<std::size_t>(address - section.address);
    }
    [[nodiscard]] bool is_taken(std::uint64_t address) const {
        return marks_here_->taken.has(index_in(*section_, address));
    }

    [[nodiscard]] std::span<const std::byte> bytes_at(std::uint64_t address) const {
        return section_->bytes.bytes().subspan(static_cast<std::size_t>(address - section_->address));
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
               (!section_->contains(target) || marks_here_->functions.has(index_in(*section_, target)) ||
                (start_.size != 0 && (target < start_.address || target - start_.address >= start_.size)));
    }

    void call(std::uint64_t target) {
        const CodeSection* const section = map_.section_at(target);
        if (section == nullptr || section->is_of_linker) {
            return;
        }
        Bits& functions = marks_of(*section).functions;
        if (const std::size_t index = index_in(*section, target); !functions.has(index)) {
            functions.set(index);
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
        if (steps_left_ == 0 || !decoder_.decode(bytes_at(address), address, instruction) ||
            instruction.does == Does::is_privileged) {
            return false;
        }
        --steps_left_;
        ++instructions_;
        marks_here_->taken.set(index_in(*section_, address));
        if (wants_plain_ || !is_plain(instruction.flow, instruction.does, instruction.feature, instruction.encoding)) {
            sink_.take(instruction);
        }
        return true;
    }

    // Takes plain instructions up to one that is not, that was taken before, or that begins where this function ends.
    std::uint64_t over_plain(std::uint64_t address) {
        if (wants_plain_) {
            return address;
        }
        const std::span<const std::byte> bytes = section_->bytes.bytes();
        const std::size_t begin = index_in(*section_, address);
        // Behind the last byte that is looked at there is room to read.
        std::size_t end = bytes.size() < room_to_read ? 0 : bytes.size() - room_to_read + 1;
        if (start_.size != 0) {
            end =
                std::min<std::size_t>(end, static_cast<std::size_t>(start_.address + start_.size - section_->address));
        }
        Bits& taken = marks_here_->taken;
        const Bits& functions = marks_here_->functions;
        std::size_t at = begin;
        std::uint64_t count = 0;
        while (at < end && !taken.has(at) && count < steps_left_) {
            const std::size_t length = plain_length(bytes.subspan(at, room_to_read));
            if (length == 0) {
                break;
            }
            taken.set(at);
            ++count;
            at += length;
            if (functions.has(at)) {
                break;
            }
        }
        steps_left_ -= count;
        instructions_ += count;
        return address + (at - begin);
    }

    // From an address on, until control goes elsewhere; false when the bytes are no code.
    bool follow(const std::uint64_t begin) {
        std::uint64_t address = begin;
        const bool is_code = follow_to(address);
        taken_.emplace_back(begin, address);
        return is_code;
    }

    // The same; `address` becomes the end of what was taken.
    bool follow_to(std::uint64_t& address) {
        bool is_behind_call = false;  // which may not return, so that what follows is padding
        while (section_->contains(address)) {
            if (is_taken(address)) {
                return true;
            }
            if (const std::uint64_t behind = over_plain(address); behind != address) {
                address = behind;
                is_behind_call = false;
                if (section_->contains(address) && leaves(address)) {
                    break;
                }
                continue;
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
        if (!decodes(start_.address, end)) {
            return;
        }
        Instruction instruction;
        for (std::uint64_t address = start_.address; address < end; address += instruction.length) {
            if (is_taken(address)) {
                static_cast<void>(decoder_.decode(bytes_at(address), address, instruction));
            } else if (!take(address, instruction)) {
                return;
            } else if (instruction.flow == Flow::call && instruction.is_direct) {
                call(instruction.target);
            }
        }
    }

    // Whether the bytes are instructions one after the other, up to the end exactly.
    [[nodiscard]] bool decodes(std::uint64_t address, std::uint64_t end) {
        Instruction instruction;
        for (; address < end; address += instruction.length) {
            if (steps_left_ == 0 || !decoder_.decode(bytes_at(address), address, instruction) ||
                instruction.length > end - address || (!is_taken(address) && instruction.does == Does::is_privileged)) {
                return false;
            }
            --steps_left_;
        }
        return true;
    }

    void walk(const Start& start) {
        section_ = map_.section_at(start.address);
        if (section_ == nullptr || section_->is_of_linker) {
            return;
        }
        marks_here_ = &marks_of(*section_);
        if (is_taken(start.address)) {
            return;
        }
        start_ = start;
        taken_.clear();
        instructions_ = 0;
        sink_.begin(start);
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
        called_.insert(called_.end(), called_now_.begin(), called_now_.end());
        sink_.end(instructions_);
    }

    void give_up() {
        pending_.clear();
        sink_.drop();
        for (const auto& [begin, end] : taken_) {
            for (std::uint64_t address = begin; address < end; ++address) {
                marks_here_->taken.clear(index_in(*section_, address));
            }
        }
        for (const std::uint64_t target : called_now_) {
            const CodeSection& section = *map_.section_at(target);
            marks_of(section).functions.clear(index_in(section, target));
        }
        if (start_.origin == Origin::function) {
            ++not_decoded_;
        }
    }

    const CodeMap& map_;
    const Decoder& decoder_;
    FunctionSink& sink_;
    bool wants_plain_;
    std::vector<Marks> marks_;  ///< by section
    std::uint64_t steps_left_ = 0;  ///< a lying file may name starts and sizes that lie over each other
    std::vector<std::uint64_t> called_;
    std::uint64_t not_decoded_ = 0;

    // Of the function that is being walked:
    Start start_;
    const CodeSection* section_ = nullptr;
    Marks* marks_here_ = nullptr;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> taken_;  ///< runs of its instructions, with their ends
    std::uint64_t instructions_ = 0;
    std::vector<std::uint64_t> pending_;
    std::vector<std::uint64_t> called_now_;
    bool has_switch_ = false;
};

}  // namespace

std::uint64_t for_each_function(const CodeMap& map, const Decoder& decoder, FunctionSink& sink) {
    return Walk(map, decoder, sink).run();
}

}  // namespace nasm_build::inspect::code
