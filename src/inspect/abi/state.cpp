#include "inspect/abi/state.hpp"

#include <algorithm>

namespace nasm_build::inspect::abi {

namespace {

constexpr std::size_t most_slots = 64;

std::int64_t size_of(const Value& value) {
    constexpr std::int64_t mxcsr = 4, x87_control = 2;
    switch (value.kind) {
        case Value::Kind::entry_vector:
            return 16;
        case Value::Kind::control:
            return value.number == 0 ? mxcsr : x87_control;
        default:
            return 8;
    }
}

bool overlaps(const Slot& slot, std::uint32_t base, std::int64_t offset, std::int64_t size) {
    return slot.base == base && slot.offset < offset + size && offset < slot.offset + slot.size();
}

// In the order of slots, what is not before a place.
template <typename Slots>
auto first_from(Slots& slots, std::uint32_t base, std::int64_t offset) {
    return std::partition_point(slots.begin(), slots.end(), [&](const Slot& slot) {
        return slot.base != base ? slot.base < base : slot.offset < offset;
    });
}

// Keeps the slots that both have.
bool keep_common(std::vector<Slot>& mine, const std::vector<Slot>& theirs) {
    auto kept = mine.begin();
    auto other = theirs.begin();
    for (const Slot& slot : mine) {
        const auto comes_before = [](const Slot& one, const Slot& two) {
            return one.base != two.base ? one.base < two.base : one.offset < two.offset;
        };
        while (other != theirs.end() && comes_before(*other, slot)) {
            ++other;
        }
        if (other != theirs.end() && *other == slot) {
            *kept++ = slot;
        }
    }
    const bool changed = kept != mine.end();
    mine.erase(kept, mine.end());
    return changed;
}

// A number that only the modulus is known of.
Value multiple_of_16() {
    return {Value::Kind::unknown, 0, 0, 0, 0};
}

// Where ways meet with rsp at a multiple of 16 on one of them and 8 off on the other, one of them is wrong at every call that follows.
std::int8_t joined_residue(const Value& one, const Value& other) {
    const auto mine = one.alignment();
    const auto theirs = other.alignment();
    if (mine && mine == theirs) {
        return static_cast<std::int8_t>(*mine);
    }
    const auto is_even = [](const Value& value, std::optional<unsigned> known) {
        return (known && *known % 8 == 0) || value.residue == Value::residue_in_doubt;
    };
    return is_even(one, mine) && is_even(other, theirs) ? Value::residue_in_doubt : std::int8_t{-1};
}

// Of two that differ.
Value joined(const Value& one, const Value& other, std::uint32_t where, unsigned number) {
    if (one.is_stack() && other.is_stack()) {
        return fresh_stack(where, static_cast<Register>(number), joined_residue(one, other));
    }
    using Kind = Value::Kind;
    if (one.kind == Kind::result && other.kind == Kind::result && one.base == other.base) {
        if (one.number == Value::result_is_zero || other.number == Value::result_is_zero) {
            return one.number == Value::result_is_zero ? other : one;
        }
        return {Kind::result, std::max(one.number, other.number), -1, one.base, 0};
    }
    if (one.kind == Kind::destroyed || other.kind == Kind::destroyed) {
        return {Kind::destroyed, 1, -1, 0, 0};
    }
    if (one.kind == Kind::bounded && other.kind == Kind::bounded && one.number == other.number) {
        return {Kind::bounded, one.number, std::max(one.residue, other.residue), 0, std::max(one.offset, other.offset)};
    }
    if (one.most() >= 0 && other.most() >= 0) {
        const auto is_in_doubt = [](const Value& value) { return value.kind == Kind::bounded && value.residue == 0; };
        const std::int64_t most = std::max(one.most(), other.most());
        return is_in_doubt(one) || is_in_doubt(other) ? Value::fits_in(most) : Value::at_most(most);
    }
    const auto is_multiple = [](const Value& value) {
        return (value.kind == Kind::unknown && value.residue == 0) ||
               (value.kind == Kind::constant && value.offset % 16 == 0);
    };
    if (is_multiple(one) && is_multiple(other)) {
        return multiple_of_16();
    }
    const auto is_multiple_of_8 = [&](const Value& value) {
        return is_multiple(value) || (value.kind == Kind::unknown && value.residue == 8) ||
               (value.kind == Kind::constant && value.offset % 8 == 0);
    };
    return is_multiple_of_8(one) && is_multiple_of_8(other) ? Value{Kind::unknown, 0, 8, 0, 0} : Value{};
}

}  // namespace

std::optional<unsigned> Value::alignment() const {
    if (kind != Kind::stack || residue < 0) {
        return std::nullopt;
    }
    return static_cast<unsigned>(residue + offset) & 15U;
}

unsigned Value::distance_from_multiple(unsigned size) const {
    const auto known = alignment();
    if (!known || size < 16) {
        return 0;
    }
    const bool is_whole = kind == Kind::stack && number != 0 && size <= (1U << number);
    const unsigned modulus = is_whole ? size : 16U;
    return static_cast<unsigned>(residue + offset) & (modulus - 1);
}

Value fresh_stack(std::uint32_t where, Register one, std::int8_t residue) {
    // Registers that meet at one place with different addresses have different bases.
    return {Value::Kind::stack, 0, residue, (where + 1U) * 32U + static_cast<unsigned>(one), 0};
}

std::int64_t Slot::size() const {
    return size_of(value);
}

std::optional<Value> State::load(const Value& address) const {
    if (!address.is_stack()) {
        return std::nullopt;
    }
    const auto found = first_from(slots, address.base, address.offset);
    if (found == slots.end() || found->base != address.base || found->offset != address.offset) {
        return std::nullopt;
    }
    return found->value;
}

void State::overwrite(const Value& address, std::int64_t size) {
    if (!address.is_stack() || slots.empty()) {
        return;
    }
    std::erase_if(slots, [&](const Slot& slot) { return overlaps(slot, address.base, address.offset, size); });
}

void State::overwrite_locals(const Value& address, std::int64_t size) {
    if (!address.is_stack() || slots.empty()) {
        return;
    }
    std::erase_if(slots, [&](const Slot& slot) {
        using Kind = Value::Kind;
        const Kind kind = slot.value.kind;
        const bool is_local = kind == Kind::stack || kind == Kind::destroyed || kind == Kind::result;
        return is_local && overlaps(slot, address.base, address.offset, size);
    });
}

bool State::is_worth_keeping(const Value& value) {
    using Kind = Value::Kind;
    return value.kind == Kind::entry || value.kind == Kind::entry_vector || value.kind == Kind::stack ||
           value.kind == Kind::destroyed || value.kind == Kind::control || value.kind == Kind::result ||
           value.kind == Kind::flags;
}

void State::store(const Value& address, const Value& value) {
    if (!address.is_stack()) {
        return;
    }
    const Slot slot{address.base, address.offset, value};
    overwrite(address, slot.size());
    const bool is_less_worth = value.kind == Value::Kind::result || value.kind == Value::Kind::destroyed;
    if (!is_worth_keeping(value) || slots.size() >= (is_less_worth ? most_slots / 2 : most_slots)) {
        return;
    }
    slots.insert(first_from(slots, slot.base, slot.offset), slot);
}

void State::note_test_of(const Value& result) {
    const auto note = [&result](Value& value) {
        if (value.kind == Value::Kind::result && value.base == result.base && value.number == 1) {
            value.number = 2;
        }
    };
    std::for_each(registers.begin(), registers.end(), note);
    std::for_each(slots.begin(), slots.end(), [&note](Slot& slot) { note(slot.value); });
}

void State::note_taken(const Value& from, const Value& to) {
    if (from.is_stack() && to.is_stack() && from.base == 0 && to.base == 0 && from.offset < to.offset) {
        const bool joins = untouched_from == to.offset && untouched_to > untouched_from;
        untouched_to = joins ? untouched_to : to.offset;
        untouched_from = from.offset;
    }
}

void State::note_written(const Value& address, std::int64_t size) {
    const bool touches = address.is_stack() && address.base == 0 && address.offset < untouched_to &&
                         untouched_from < address.offset + size;
    if (touches) {
        // What lies below the bytes is kept in mind: it is where rsp is.
        untouched_to = std::max(address.offset, untouched_from);
    }
}

bool State::is_destroyed(const Value& address, std::int64_t size) const {
    return address.is_stack() && std::any_of(slots.begin(), slots.end(), [&](const Slot& slot) {
               return slot.value.kind == Value::Kind::destroyed && overlaps(slot, address.base, address.offset, size);
           });
}

void State::forget_other_bases(std::uint32_t base) {
    std::erase_if(slots, [base](const Slot& slot) { return slot.base != base; });
}

void State::forget_below(const Value& address) {
    if (address.is_stack()) {
        std::erase_if(slots,
                      [&](const Slot& slot) { return slot.base == address.base && slot.offset < address.offset; });
    }
}

State entry_state() {
    State state;
    for (unsigned number = 0; number < register_count; ++number) {
        state.registers.at(number) = Value::entry(static_cast<Register>(number));
    }
    state.at(Register::rsp) = {Value::Kind::stack, 0, 8, 0, 0};
    state.kept_vectors = RegisterSet::vectors(0, 15);
    return state;
}

bool join(State& into, const State& other, std::uint32_t where) {
    bool changed = false;
    for (unsigned number = 0; number < register_count; ++number) {
        Value& mine = into.registers[number];
        const Value& theirs = other.registers[number];
        if (mine == theirs) {
            continue;
        }
        const Value both = joined(mine, theirs, where, number);
        changed = changed || !(both == mine);
        mine = both;
    }
    changed = keep_common(into.slots, other.slots) || changed;
    const auto narrow = [&changed](RegisterSet& mine, RegisterSet both) {
        changed = changed || !(mine == both);
        mine = both;
    };
    if (into.bounded_memory.most >= 0 && !(into.bounded_memory == other.bounded_memory)) {
        into.bounded_memory = {};
        changed = true;
    }
    narrow(into.kept_vectors, into.kept_vectors.both(other.kept_vectors));
    narrow(into.destroyed_vectors, into.destroyed_vectors.both(other.destroyed_vectors));
    RegisterSet doubtful = into.doubtful_vectors;
    doubtful.add(other.doubtful_vectors);
    narrow(into.doubtful_vectors, doubtful);
    const auto widen = [&changed](auto& mine, auto both) {
        changed = changed || mine != both;
        mine = both;
    };
    widen(into.upper, into.upper == other.upper                                 ? into.upper
                      : into.upper == Upper::used || other.upper == Upper::used ? Upper::used
                                                                                : Upper::unchanged);
    if (into.untouched_from != other.untouched_from || into.untouched_to != other.untouched_to) {
        // What both know.
        const std::int64_t from = std::max(into.untouched_from, other.untouched_from);
        const std::int64_t to = std::max(from, std::min(into.untouched_to, other.untouched_to));
        widen(into.untouched_from, from);
        widen(into.untouched_to, to);
    }
    widen(into.are_flags_destroyed, into.are_flags_destroyed && other.are_flags_destroyed);
    widen(into.lock, into.lock == other.lock ? into.lock : Lock::unknown);
    widen(into.floating, static_cast<std::uint8_t>(into.floating | other.floating));
    if (into.direction != other.direction && into.direction != Direction::unknown) {
        into.direction = Direction::unknown;
        changed = true;
    }
    return changed;
}

}  // namespace nasm_build::inspect::abi
