// The looks at unwind tables: whether what they say of the stack is so, at each instruction.
#include <algorithm>

#include "inspect/abi/analysis.hpp"
#include "inspect/abi/values.hpp"

namespace nasm_build::inspect::abi {

namespace {

/// Behind the call that led to the function: rsp at entry, and the return address that lies there.
constexpr std::int64_t cfa_at_entry = 8;

}  // namespace

const code::FrameRow* Analysis::row_at(std::uint64_t address) {
    if (frame_ == nullptr || address < frame_->begin || address >= frame_->end) {
        frame_ = program_.frame_at(address);
        rows_ = frame_ == nullptr || frame_->is_signal_frame ? std::vector<code::FrameRow>() : code::rows_of(*frame_);
        row_ = 0;
        true_row_ = nullptr;
    }
    const auto holds_from = [&](std::size_t row) { return row < rows_.size() && rows_[row].address <= address; };
    if (!holds_from(row_) || holds_from(row_ + 1)) {
        const auto after = std::partition_point(rows_.begin(), rows_.end(),
                                                [&](const code::FrameRow& row) { return row.address <= address; });
        row_ = after == rows_.begin() ? 0 : static_cast<std::size_t>(after - rows_.begin()) - 1;
    }
    return holds_from(row_) ? &rows_[row_] : nullptr;
}

// Asked at every instruction: as long as nothing is put on the stack, the answer stays.
bool Analysis::holds(const code::FrameRow& row, const State& state) {
    if (true_row_ != &row) {
        true_row_ = is_saved_elsewhere(row, state) ? nullptr : &row;
    }
    return true_row_ == &row;
}

// What is left of a function from an instruction on, as Windows decodes it when it asks whether that is an epilogue: at the most
// one instruction that gives the frame back, pops, and a return or a jump.
bool Analysis::is_epilogue(std::uint64_t address) {
    const Instruction* found = program_.instruction_at(address);
    const auto gives_back = [](const Instruction& one) {
        const bool adds = one.action == Action::add && one.constant > 0;
        const bool computes = one.action == Action::compute_address;
        return (adds || computes) && one.destination == Register::rsp;
    };
    if (found != nullptr && gives_back(*found)) {
        found = program_.instruction_at(found->next());
    }
    while (found != nullptr && found->action == Action::pop) {
        found = program_.instruction_at(found->next());
    }
    return found != nullptr && (found->action == Action::ret || found->action == Action::jump);
}

// Whether nothing but the return follows: no call, and no branch.
bool Analysis::is_on_the_way_out(std::uint64_t address) {
    constexpr unsigned most = 24;
    const Instruction* found = program_.instruction_at(address);
    for (unsigned count = 0; found != nullptr && count < most; ++count) {
        if (found->action == Action::ret || found->action == Action::jump) {
            return true;
        }
        if (found->action == Action::call || found->action == Action::branch || found->action == Action::trap) {
            return false;
        }
        found = program_.instruction_at(found->next());
    }
    return false;
}

// A register that a row says to be saved, and not there. A place of which nothing is known is no evidence by itself; it is where
// another place is known to hold the register's value.
bool Analysis::is_saved_elsewhere(const code::FrameRow& row, const State& state) const {
    for (unsigned number = 0; number < register_count; ++number) {
        const auto one = static_cast<Register>(number);
        if (row.saved.at(number) == 0) {
            continue;
        }
        const Value place{Value::Kind::stack, 0, 8, 0, cfa_at_entry + row.saved.at(number)};
        const auto there = state.load(place);
        if (there && there->is_entry_of(one)) {
            continue;
        }
        const bool is_known_elsewhere =
            convention_.kept.has(one) && std::any_of(state.slots.begin(), state.slots.end(), [&](const Slot& slot) {
                return slot.base == 0 && slot.value.is_entry_of(one);
            });
        const bool holds_another =
            there && there->kind == Value::Kind::entry && convention_.kept.has(static_cast<Register>(there->number));
        if (holds_another || is_known_elsewhere) {
            return true;
        }
    }
    for (unsigned number = 0; number < register_count; ++number) {
        if (row.saved_vectors.at(number) == 0 || !convention_.kept_vectors.has(number)) {
            continue;
        }
        const Value kept = Value::entry_vector(number);
        const Value place{Value::Kind::stack, 0, 8, 0, cfa_at_entry + row.saved_vectors.at(number)};
        const bool is_known_elsewhere = std::any_of(state.slots.begin(), state.slots.end(), [&](const Slot& slot) {
            return slot.base == 0 && slot.value == kept;
        });
        if (is_known_elsewhere && state.load(place) != kept) {
            return true;
        }
    }
    return false;
}

void Analysis::look_at_unwind(const Instruction& instruction, const State& state) {
    const std::uint64_t address = instruction.address;
    const code::FrameRow* const row = row_at(address);
    const Value& rsp = state.at(Register::rsp);
    if (row == nullptr) {
        const bool matters = instruction.action == Action::call || (rsp.base == 0 && rsp.offset < 0);
        if (convention_.shadow_space != 0 && matters && function_.has_known_convention && told_of_unwind_ == 0) {
            tell(FaultKind::unwind_missing, address);
            told_of_unwind_ = 2;
        }
        return;
    }
    const bool is_asked = frame_->hold != code::RowsHold::in_the_body || instruction.action == Action::call;
    if (!is_asked || !row->base || !has_usual_frame()) {
        return;
    }
    const auto base = static_cast<Register>(*row->base);
    const Value& value = state.at(base);
    // rbp that is the caller's is no frame of this function.
    const bool is_callers = value.kind == Value::Kind::entry && base != Register::rsp;
    if (!is_callers && !(value.is_stack() && value.base == 0)) {
        return;
    }
    const std::int64_t distance = is_callers ? 0 : value.offset + row->offset - cfa_at_entry;
    if (!is_callers && distance == 0) {
        if (!holds(*row, state)) {
            tell_of_unwind(FaultKind::unwind_registers, instruction);
        }
        return;
    }
    if (frame_->hold == code::RowsHold::but_for_epilogues && is_epilogue(address)) {
        return;
    }
    const bool is_end = frame_->hold == code::RowsHold::but_for_epilogues && is_on_the_way_out(address);
    if (Fault* const fault = tell_of_unwind(is_end ? FaultKind::epilogue : FaultKind::unwind_false, instruction)) {
        fault->amount = distance;
        // Behind a call that never returns there may be another function, of which nothing says that it begins there.
        fault->is_doubtful = fault->is_doubtful || (is_callers && !function_.is_assembled);
    }
}

// One place stands for the others, but for a call: through it exceptions and backtraces pass. Between calls gcc's and clang's own
// rows come late where they move an instruction in between, which only a profiler may meet: that is a warning.
Fault* Analysis::tell_of_unwind(FaultKind kind, const Instruction& instruction) {
    const bool is_call = instruction.action == Action::call;
    const unsigned level = is_call ? 2 : 1;
    if (told_of_unwind_ >= level) {
        return nullptr;
    }
    told_of_unwind_ = level;
    Fault& fault = tell(kind, instruction.address);
    fault.is_doubtful = !is_call && kind != FaultKind::epilogue;
    return &fault;
}

// A local function may be entered with a frame of its caller's, which its rows then describe.
bool Analysis::has_usual_frame() {
    if (!has_usual_frame_) {
        const code::FrameEntry* const own = program_.frame_at(function_.address);
        has_usual_frame_ = function_.has_known_convention || function_.is_assembled ||
                           (own != nullptr && code::starts_as_called(*own));
    }
    return *has_usual_frame_;
}

}  // namespace nasm_build::inspect::abi
