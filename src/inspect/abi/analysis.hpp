// One function, over every path: its states, its summary, and its faults.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "inspect/abi/blocks.hpp"
#include "inspect/abi/fault.hpp"
#include "inspect/abi/program.hpp"
#include "inspect/abi/state.hpp"
#include "inspect/abi/summary.hpp"

namespace nasm_build::inspect::abi {

class Analysis {
public:
    /// `summaries` are those of all functions, as far as they are known by now.
    Analysis(Program& program, const Convention& convention, std::span<const Summary> summaries, std::size_t function);

    /// Follows every path until nothing changes.
    void run();
    [[nodiscard]] const Summary& summary() const noexcept { return summary_; }
    /// By index.
    [[nodiscard]] std::span<const std::size_t> callees() const noexcept { return callees_; }
    /// Bytes of memory that its states take.
    [[nodiscard]] std::size_t memory() const noexcept { return blocks_.memory(); }

    /// Why it was not followed to the end; empty where it was.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    [[nodiscard]] std::uint64_t reason_address() const noexcept { return reason_address_; }

    /// After `run`: looks at every instruction once more and tells what is wrong.
    [[nodiscard]] std::vector<Fault> faults();

private:
    /// What is done with the paths.
    enum class Phase : std::uint8_t {
        following,  ///< until nothing changes
        looking,  ///< at each instruction once, in the states that were found
        explaining,  ///< how control comes to a fault
    };
    /// From block to block.
    struct Edge {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        std::uint64_t by = 0;  ///< the jump; 0 where control runs on
    };
    /// A comparison whose outcome the next branch tells.
    struct Compared {
        Register left = Register::none;
        Register right = Register::none;
        std::int64_t constant = 0;
        std::uint8_t width = 64;
        Memory memory;
        bool is_carry_alone = false;  ///< other flags were written since
    };

    /// What is known on one way of a branch, and not on the other.
    struct Learned {
        bool is_when_taken = false;
        Register one = Register::none;  ///< the register that has `value`
        Value value;
        std::optional<BoundedMemory> memory;

        /// Puts it into a state, and what was there in its place; so that a second time takes it back.
        void exchange(State& state);
    };

    /// Gives the address that it came to: of the last instruction, or behind it where control goes on into another block.
    std::uint64_t walk(const Block& block);
    bool renew_parted_blocks();
    /// Whether what is known before an address and in a block there are two things.
    [[nodiscard]] bool begins_block(std::uint64_t address) const;
    void look_at_blocks();
    /// False when control does not go on behind it.
    bool step(const Instruction& instruction, State& state);
    void step_data(const Instruction& instruction, State& state);
    void step_store(const Instruction& instruction, const Value& address, State& state);
    void step_floating(const Instruction& instruction, const Value& address, State& state);
    void note_room(const Value& before, const Value& after, const State& state);
    void step_stack(const Instruction& instruction, State& state);
    bool step_call(const Instruction& instruction, State& state);
    void step_branch(const Instruction& instruction, State& state);
    [[nodiscard]] Learned learn(Condition condition, const State& state) const;
    void step_jump(const Instruction& instruction, const State& state);
    void step_return(const Instruction& instruction, const State& state);
    void tail(const Instruction& instruction, const State& state, const Destination& destination);
    void go(std::uint64_t target, const State& state, std::uint64_t by);
    [[nodiscard]] bool is_open(const Value& target) const;
    bool jump_by_table(const Instruction& instruction, const State& state);
    void leave(const State& state, std::int64_t pops);

    [[nodiscard]] std::optional<std::size_t> callee_of(const Destination& destination) const;
    void need_alignment(std::uint64_t address);
    /// Win64: forgets what lies where the callee may put its arguments.
    void forget_home(State& state) const;
    /// Win64: there is anything in it behind a call that follows the convention.
    void destroy_home(State& state) const;
    void apply_summary(const Summary& summary, State& state);
    void apply_convention(State& state, bool destroys);
    void write(State& state, Register one, const Value& value, std::uint64_t address);
    [[nodiscard]] Value address_of(const Memory& memory, const State& state) const;
    /// The address of the table that an indexed access reads, where it is known.
    [[nodiscard]] static std::optional<std::int64_t> table_of(const Memory& memory, const State& state);
    [[nodiscard]] std::vector<std::uint64_t> table_targets(const Value& target) const;
    void give_up(std::uint64_t address, std::string reason);

    // The looks, in faults.cpp.
    void look(const Instruction& instruction, const State& state);
    void look_at_call(const Instruction& instruction, const State& state);
    void look_at_local_return(const State& state, std::uint64_t address);
    void find_jumps_into_instructions();
    [[nodiscard]] std::vector<Fault> lost_stack();
    void look_at_return(const State& state, std::uint64_t address);
    void look_at_tail(const State& state, std::uint64_t address, const Destination& destination);
    void look_at_kept(const State& state, std::uint64_t address);
    void look_at_reads(const Instruction& instruction, const Value& address, const State& state);
    void look_at_stack(const Instruction& instruction, const Value& address);
    void look_at_modes(const State& state, std::uint64_t address, std::string_view callee);
    // In look_python.cpp.
    void take_result(const Instruction& instruction, std::string_view import, State& state);
    void look_at_import(const Instruction& instruction, const State& state, std::string_view import);
    void look_at_objects(const Instruction& instruction, const State& state);
    // In look_unwind.cpp.
    void look_at_unwind(const Instruction& instruction, const State& state);
    [[nodiscard]] const code::FrameRow* row_at(std::uint64_t address);
    [[nodiscard]] bool holds(const code::FrameRow& row, const State& state);
    [[nodiscard]] bool is_saved_elsewhere(const code::FrameRow& row, const State& state) const;
    Fault* tell_of_unwind(FaultKind kind, const Instruction& instruction);
    [[nodiscard]] bool has_usual_frame();
    [[nodiscard]] bool is_epilogue(std::uint64_t address);
    [[nodiscard]] bool is_on_the_way_out(std::uint64_t address);
    void look_below(const Instruction& instruction, const Value& address, const State& state);
    Fault& tell(FaultKind kind, std::uint64_t address);
    // In explain.cpp.
    /// What happens on the way through a block.
    struct Passage {
        bool reaches = false;  ///< the instruction that was asked for
        bool is_changed =
            false;  ///< the register is not what it was at entry, at the block's end or at that instruction
        std::uint64_t written =
            0;  ///< the instruction that put something else in place of its value of entry; 0 for none
        std::string assumes;  ///< an import that is assumed to return, or empty
    };
    struct Visit {
        std::uint64_t block = 0;
        std::size_t before = 0;  ///< the index of the visit that led here
        std::uint64_t by = 0;
        bool is_changed = false;
        Passage passage;
    };
    [[nodiscard]] Passage pass(const Block& block, Register subject, bool is_changed, std::uint64_t until);
    [[nodiscard]] std::vector<Visit> way_to(std::uint64_t address, Register subject, bool with_assumptions);
    void explain(Fault& fault);

    Program& program_;
    const Convention& convention_;
    std::span<const Summary> summaries_;
    std::size_t index_;
    const Function& function_;
    Summary summary_;
    Blocks blocks_;
    std::vector<Edge> edges_;  ///< by where they come from, in its order; known once the blocks were looked at
    std::vector<std::size_t> callees_;
    State state_;  ///< at the instruction that is walked
    Compared compared_;
    std::uint64_t block_ = 0;  ///< the block that is walked
    std::uint64_t steps_left_ = 0;
    std::string reason_;
    std::uint64_t reason_address_ = 0;
    /// Where rsp became what a register of the caller's held, and which.
    std::pair<std::uint64_t, Register> lost_stack_{0, Register::none};
    std::set<std::uint32_t> aligned_bases_;  ///< of the stack: those that `and rsp, -32` and its kin made
    std::map<std::uint32_t, std::int64_t> rooms_;  ///< bytes above a base of the stack that nothing lies in
    std::vector<std::pair<std::uint64_t, std::uint8_t>> looked_at_;  ///< addresses and lengths of instructions
    const code::FrameEntry* frame_ = nullptr;  ///< the entry of the unwind table that was looked at last
    std::map<std::uint32_t, std::string_view> results_;  ///< what a value of the kind `result` came from, by its base
    std::vector<code::FrameRow> rows_;  ///< of it
    std::size_t row_ = 0;  ///< the one of them that was looked at last
    /// A row whose registers were found where it says, since when nothing was put on the stack.
    const code::FrameRow* true_row_ = nullptr;
    std::optional<bool> has_usual_frame_;  ///< asked at every instruction, found out once
    unsigned told_of_unwind_ = 0;  ///< 1 for a place between calls, 2 for one at a call
    bool writes_static_data_ = false;
    bool has_probe_ = false;  ///< something in the function touches the stack to see that it is there
    bool has_shadow_stack_;  ///< the module says that it goes with shadow stacks
    Phase phase_ = Phase::following;
    bool has_open_table_ = false;
    bool has_new_leaders_ = false;  ///< ways meet where none did when blocks were walked
    std::vector<Fault> faults_;
};

}  // namespace nasm_build::inspect::abi
