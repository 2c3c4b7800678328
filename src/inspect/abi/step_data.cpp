// What an instruction that does not move control does to registers and stack.
#include <algorithm>
#include <optional>

#include "inspect/abi/analysis.hpp"
#include "inspect/abi/values.hpp"

namespace nasm_build::inspect::abi {

Value Analysis::address_of(const Memory& memory, const State& state) const {
    if (memory.is_segment || memory.index != Register::none) {
        return {};
    }
    if (memory.base == Register::none) {
        return Value::constant(memory.displacement);
    }
    Value value = state.at(memory.base);
    if (!value.is_stack() && value.kind != Value::Kind::constant) {
        return {};
    }
    return sum(value, memory.displacement);
}

void Analysis::write(State& state, Register one, const Value& value, std::uint64_t address) {
    if (one == Register::none) {
        return;
    }
    if (one == Register::rsp && !value.is_stack()) {
        if (value.kind == Value::Kind::entry && convention_.kept.has(static_cast<Register>(value.number))) {
            lost_stack_ = {address, static_cast<Register>(value.number)};
        } else if (value.kind == Value::Kind::destroyed && value.number == 0) {
            lost_stack_ = {address, Register::none};
        }
        give_up(address, "rsp is set to a value that is not followed");
        return;
    }
    state.at(one) = value;
    if (state.bounded_memory.place.base == one || state.bounded_memory.place.index == one) {
        state.bounded_memory = {};
    }
    if (compared_.left == one || compared_.right == one) {
        compared_ = {};
    }
}

void Analysis::step_data(const Instruction& instruction, State& state) {
    const Memory& memory = instruction.memory;
    const Register to = instruction.destination;
    const std::uint64_t at = instruction.address;
    const Value address = memory.is_used ? address_of(memory, state) : Value{};
    RegisterSet written = instruction.writes;
    written.add(instruction.partial_writes);
    std::optional<Value> result;
    switch (instruction.action) {
        case Action::copy:
            result = state.at(instruction.source);
            break;
        case Action::copy_low:
            result = extended(state.at(instruction.source), instruction.width);
            break;
        case Action::set:
            result = Value::constant(instruction.constant);
            break;
        case Action::compute_address:
            result = address_of(memory, state);
            if (result->kind == Value::Kind::unknown && memory.base != Register::none &&
                memory.index == Register::none) {
                result = sum(state.at(memory.base), memory.displacement);
            }
            break;
        case Action::add:
            result = sum(state.at(to), instruction.constant);
            if (to == Register::rsp) {
                state.note_taken(*result, state.at(to));
            }
            break;
        case Action::add_register:
            result = added(state.at(to), state.at(instruction.source));
            break;
        case Action::subtract_register:
            result = moved(state.at(to), state.at(instruction.source), step_place(at), to);
            note_room(state.at(to), *result, state);
            break;
        case Action::mask:
            result = masked(state.at(to), instruction.constant, step_place(at), to);
            note_room(state.at(to), *result, state);
            // alloca rounds the address of its room up in another register: that one lies below all that was saved.
            if (result->is_stack() && to == Register::rsp) {
                aligned_bases_.insert(result->base);
            }
            break;
        case Action::load:
            result = state.load(address).value_or(Value{});
            if (state.bounded_memory.place.is_same_place(memory)) {
                result = Value::at_most(state.bounded_memory.most);
            } else if (const auto known = table_of(memory, state); known && memory.scale == 8) {
                result = from_table(Value::Kind::table_pointer, state.at(memory.index), 0, *known);
            }
            break;
        case Action::load_signed_32:
        case Action::load_32:
            result = instruction.action == Action::load_32 ? Value::fits_in(largest_32) : Value{};
            if (state.bounded_memory.place.is_same_place(memory)) {
                result = Value::at_most(state.bounded_memory.most);
            } else if (const auto known = table_of(memory, state); known && memory.scale == 4) {
                const bool is_signed = instruction.action == Action::load_signed_32;
                result = from_table(Value::Kind::table_entry, state.at(memory.index),
                                    is_signed ? std::int8_t{0} : Value::table_is_unsigned, *known);
            }
            break;
        case Action::mask_32:
            result = instruction.constant >= 0 ? masked({}, instruction.constant, 0, to) : Value::fits_in(largest_32);
            break;
        case Action::load_8:
            result = state.bounded_memory.place.is_same_place(memory) ? Value::at_most(state.bounded_memory.most)
                                                                      : Value::fits_in(255);
            break;
        case Action::exchange: {
            if (memory.is_used) {
                const Value mine = state.at(to);
                write(state, to, state.load(address).value_or(Value{}), at);
                state.bounded_memory = {};
                state.store(address, mine);
                return;
            }
            const Value other = state.at(instruction.source);
            const Value mine = state.at(to);
            write(state, instruction.source, mine, at);
            write(state, to, other, at);
            return;
        }
        default:
            break;
    }
    written.for_each([&](unsigned number) {
        const auto one = static_cast<Register>(number);
        if (!(one == to && result)) {
            write(state, one, instruction.writes_32.has(one) ? Value::fits_in(largest_32) : Value{}, at);
        }
    });
    if (result && to != Register::none) {
        write(state, to, *result, at);
    }
    if (memory.is_used && memory.is_written) {
        step_store(instruction, address, state);
    }
    if (!instruction.vector_writes.empty()) {
        const bool restores =
            instruction.action == Action::load_vector && state.load(address) == Value::entry_vector(instruction.vector);
        state.kept_vectors = state.kept_vectors.without(instruction.vector_writes);
        const bool copies = instruction.action == Action::copy_vector;
        const bool is_destroyed = copies && state.destroyed_vectors.has(instruction.vector);
        const bool is_doubtful = copies && state.doubtful_vectors.has(instruction.vector);
        state.destroyed_vectors = state.destroyed_vectors.without(instruction.vector_writes);
        state.doubtful_vectors = state.doubtful_vectors.without(instruction.vector_writes);
        if (is_destroyed) {
            state.destroyed_vectors.add(instruction.vector_writes);
        }
        if (is_doubtful) {
            state.doubtful_vectors.add(instruction.vector_writes);
        }
        if (restores) {
            state.kept_vectors.add(instruction.vector);
        }
    }
    if (instruction.asks_for_zero && state.at(to).kind == Value::Kind::result) {
        state.note_test_of(state.at(to));
    }
    if (const auto asked = instruction.action == Action::compare_memory ? state.load(address) : std::nullopt;
        asked && asked->kind == Value::Kind::result) {
        state.note_test_of(*asked);
    }
    if (instruction.uses_upper) {
        state.upper = Upper::used;
    } else if (instruction.clears_upper) {
        state.upper = Upper::clear;
    }
    step_floating(instruction, address, state);
    if (instruction.writes_flags) {
        state.are_flags_destroyed = false;
        if (instruction.leaves_carry) {
            compared_.is_carry_alone = true;
        } else {
            compared_ = {};
        }
    }
    if (instruction.action == Action::compare) {
        compared_ = {to, Register::none, instruction.constant, instruction.width, {}};
    } else if (instruction.action == Action::compare_registers) {
        compared_ = {to, instruction.source, 0, 64, {}};
    } else if (instruction.action == Action::compare_memory) {
        compared_ = {Register::none, Register::none, instruction.constant, instruction.width, memory};
    }
}

void Analysis::step_store(const Instruction& instruction, const Value& address, State& state) {
    const Memory& memory = instruction.memory;
    state.note_written(address, memory.size);
    if (const auto before = state.load(address);
        before && before->kind == Value::Kind::flags && instruction.touches_direction_bit) {
        state.store(address, Value::flags(*instruction.touches_direction_bit));
        return;
    }
    state.bounded_memory = {};
    // Between a place to which rsp was aligned and what lay above it before there may be nothing more.
    if (address.is_stack() && aligned_bases_.contains(address.base)) {
        const auto room = rooms_.find(address.base);
        if (room != rooms_.end() && address.offset + memory.size > room->second) {
            state.forget_other_bases(address.base);
        }
    }
    const std::int64_t home_end = 8 + std::int64_t{convention_.shadow_space};
    const bool is_home = address.is_stack() && address.base == 0 && address.offset >= 8 && address.offset < home_end;
    summary_.writes_home = summary_.writes_home || is_home;
    constexpr std::int64_t large = 4096;  // fxsave, xsave
    const std::int64_t size = memory.size == 255 ? large : memory.size;
    // What is taken for granted of pointers holds for those as well whose value is known: compilers make loops over arrays of the
    // stack that would run past their end, if they ran.
    const bool is_of_frame = memory.base == Register::rsp || memory.base == Register::rbp;
    const bool is_vector = instruction.action == Action::store_vector && state.kept_vectors.has(instruction.vector);
    if (is_vector) {
        state.store(address, Value::entry_vector(instruction.vector));
    } else if (instruction.action == Action::store && State::is_worth_keeping(state.at(instruction.source))) {
        state.store(address, state.at(instruction.source));
    } else if (is_of_frame) {
        state.overwrite(address, size);
    } else {
        state.overwrite_locals(address, size);
    }
}

void Analysis::step_floating(const Instruction& instruction, const Value& address, State& state) {
    const auto changed = [&state](std::uint8_t what, bool is_changed) {
        state.floating = static_cast<std::uint8_t>(is_changed ? state.floating | what : state.floating & ~what);
    };
    const auto save = [&](unsigned number, std::uint8_t what) {
        if ((state.floating & what) == 0) {
            state.store(address, Value::control(number));
        }
    };
    // A mode that is kept in an object is put back from there as well.
    const bool has_known_place = address.is_stack() || address.kind == Value::Kind::constant;
    switch (instruction.control) {
        case FloatingControl::save_mxcsr:
            save(0, floating_mxcsr);
            break;
        case FloatingControl::load_mxcsr:
            if (has_known_place) {
                changed(floating_mxcsr, state.load(address) != Value::control(0));
            }
            break;
        case FloatingControl::save_x87:
            save(1, floating_x87_control);
            break;
        case FloatingControl::load_x87:
            if (has_known_place) {
                changed(floating_x87_control, state.load(address) != Value::control(1));
            }
            break;
        case FloatingControl::reset_x87:
            changed(floating_x87_control, true);
            break;
        case FloatingControl::none:
            break;
    }
    if (instruction.uses_mmx || instruction.clears_mmx) {
        changed(floating_mmx, instruction.uses_mmx);
    }
}

// What lies between a new place of rsp, whose distance from the one before is not known, and the next value that is kept: at the
// least what lay there before.
void Analysis::note_room(const Value& before, const Value& after, const State& state) {
    if (!before.is_stack() || !after.is_stack() || before.base == after.base) {
        return;
    }
    std::int64_t room = -before.offset;
    if (before.base != 0) {
        const auto known = rooms_.find(before.base);
        if (known == rooms_.end()) {
            return;
        }
        room += known->second;
    }
    for (const Slot& slot : state.slots) {
        const bool is_kept = slot.value.kind == Value::Kind::entry || slot.value.kind == Value::Kind::entry_vector;
        if (is_kept && slot.base == before.base && slot.offset >= before.offset) {
            room = std::min(room, slot.offset - before.offset);
        }
    }
    const auto [found, is_new] = rooms_.try_emplace(after.base, room);
    found->second = std::min(found->second, room);
}

void Analysis::step_stack(const Instruction& instruction, State& state) {
    Value& rsp = state.at(Register::rsp);
    switch (instruction.action) {
        case Action::push: {
            const Value value = state.at(instruction.source);
            rsp = sum(rsp, -8);
            state.store(rsp, value);
            state.note_written(rsp, 8);
            break;
        }
        case Action::push_flags:
            rsp = sum(rsp, -8);
            state.store(rsp, Value::flags(state.direction != Direction::clear));
            break;
        case Action::push_other:
            rsp = sum(rsp, -8);
            state.overwrite(rsp, 8);
            break;
        case Action::pop: {
            const Value value = state.load(rsp).value_or(Value{});
            rsp = sum(rsp, 8);
            write(state, instruction.destination, value, instruction.address);
            break;
        }
        case Action::pop_other:
            if (const auto flags = state.load(rsp); instruction.restores_flags) {
                // Flags that came from elsewhere are taken to have the bit clear, as every code of others leaves it.
                const bool is_set = flags && flags->kind == Value::Kind::flags && flags->number != 0;
                state.direction = is_set ? Direction::set : Direction::clear;
                state.are_flags_destroyed = false;
                compared_ = {};
            }
            rsp = sum(rsp, 8);
            break;
        case Action::leave: {
            const Value frame = state.at(Register::rbp);
            write(state, Register::rsp, frame, instruction.address);
            if (frame.is_stack()) {
                const Value value = state.load(frame).value_or(Value{});
                state.at(Register::rsp) = sum(frame, 8);
                write(state, Register::rbp, value, instruction.address);
            }
            break;
        }
        default:
            break;
    }
}

}  // namespace nasm_build::inspect::abi
