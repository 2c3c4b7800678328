// The code of one image, decoded where control goes: instructions, where functions start, and what calls lead to.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inspect/abi/instruction.hpp"
#include "inspect/abi/sources.hpp"
#include "inspect/code/code_map.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect::abi {

struct Function {
    std::uint64_t address = 0;
    std::uint64_t end = 0;  ///< behind its last byte as a symbol or an unwind table says; 0 when nothing does
    std::string name;  ///< empty when nothing names it
    /// Others call it by the convention of the platform: only then it can be in error for what it does to its caller.
    bool has_known_convention = false;
    /// How many parameters it has, where the table or the name that it is called by says so.
    std::optional<unsigned> parameters;
    bool is_part = false;  ///< of another function, which jumps to it
    bool is_assembled = false;  ///< it comes from one of the objects that were given
    bool is_label = false;  ///< nothing says that it is a function: a symbol without a type that nothing calls
};

/// Where a call or a jump through memory or to a stub leads.
struct Destination {
    enum class Kind : std::uint8_t {
        unknown,  ///< a pointer
        local,  ///< `address` in this image
        imported,  ///< `name` in another image
    };
    Kind kind = Kind::unknown;
    std::uint64_t address = 0;
    std::string_view name;
};

/// Instructions by a number, which stay where they are when more are added.
class InstructionStore {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const Instruction& at(std::size_t index) const { return chunks_[index / chunk][index % chunk]; }
    void add(const Instruction& instruction) {
        if (size_ % chunk == 0) {
            chunks_.emplace_back().reserve(chunk);
        }
        chunks_.back().push_back(instruction);
        ++size_;
    }

private:
    static constexpr std::size_t chunk = 128;
    std::vector<std::vector<Instruction>> chunks_;
    std::size_t size_ = 0;
};

class Program {
public:
    /// `image.contents` must have been gathered. Both must outlive the Program.
    /// `sources` may be null.
    Program(const code::CodeMap& map, const Image& image, const Sources* sources = nullptr);

    /// The source line of the code there; without a file where it is not known.
    [[nodiscard]] SourceLine source_at(std::uint64_t address) const;

    [[nodiscard]] const Image& image() const noexcept { return image_; }
    [[nodiscard]] std::span<const Function> functions() const noexcept { return functions_; }
    [[nodiscard]] std::span<Function> functions() noexcept { return functions_; }

    /// The function that starts there; nothing where none does, or only a part of one or a label.
    [[nodiscard]] const Function* function_at(std::uint64_t address) const;
    [[nodiscard]] std::optional<std::size_t> index_of(std::uint64_t address) const;

    /// Decoded once, and there as long as the Program; nothing outside of code, and for bytes that are no instruction.
    [[nodiscard]] const Instruction* instruction_at(std::uint64_t address) {
        const std::size_t position = position_of(address);
        if (position == no_position) {
            return nullptr;
        }
        const std::uint32_t known = decoded_[position];
        return known >= first_index ? &instructions_.at(known - first_index) : decode_at(address, position);
    }
    /// What the unwind tables say of an address; nothing where no entry covers it.
    [[nodiscard]] const code::FrameEntry* frame_at(std::uint64_t address) const { return map_.frame_at(address); }
    /// Whether the module says that it goes without the global lock, or with several interpreters in a process.
    [[nodiscard]] bool is_shared() const noexcept { return is_shared_; }
    [[nodiscard]] bool is_code(std::uint64_t address) const { return position_of(address) != no_position; }

    /// Where ways meet: a new block starts there.
    [[nodiscard]] bool is_leader(std::uint64_t address) const { return has_mark(address, starts_block); }
    void make_leader(std::uint64_t address) { mark(address, starts_block); }

    /// A number for a place in code, where whoever follows a function may keep what is there. 0 at first, and to be left so.
    [[nodiscard]] std::uint32_t& number_at(std::uint64_t address) { return numbers_[position_of(address)]; }

    /// The end of a function: what is stated, or where the next one starts.
    [[nodiscard]] std::uint64_t end_of(const Function& function) const;
    /// Whether a jump there is one that the compiler knows never to be taken: the function's `.cold` part that has no bytes.
    [[nodiscard]] bool is_nowhere(std::uint64_t address, const Function& function) const;
    /// Whether the code there is part of a function that starts elsewhere (`.cold`).
    [[nodiscard]] bool is_in_part(std::uint64_t address) const;
    /// The next address behind `address` that code names: a table that starts there ends the one before it.
    [[nodiscard]] std::uint64_t next_named(std::uint64_t address) const;

    /// The functions that one calls or leaves for, as far as direct calls and jumps show; by their indices.
    [[nodiscard]] std::span<const std::size_t> callees(std::size_t function) const { return callees_[function]; }

    [[nodiscard]] Destination destination_of(const Instruction& instruction);
    /// What a function's address is called in messages: its name, or `the function at 0x1040`.
    [[nodiscard]] std::string display_name(std::uint64_t address) const;
    /// A place in the code, counted from a function's start: `multiply+0x1c`.
    [[nodiscard]] std::string location(const Function& function, std::uint64_t address) const;
    [[nodiscard]] std::uint64_t decoded_instructions() const noexcept { return instructions_.size(); }

private:
    /// A piece of code among all bytes of code, which are counted from 0 on through all sections.
    struct Extent {
        std::uint64_t address = 0;
        std::uint64_t size = 0;
        std::size_t position = 0;  ///< of its first byte
    };
    static constexpr std::uint32_t not_yet = 0, no_instruction = 1, first_index = 2;
    static constexpr std::size_t no_position = static_cast<std::size_t>(-1);
    /// What is known of a byte of code.
    enum Mark : std::uint8_t {
        starts_block = 1,
        starts_function = 2,  ///< one of `functions_` starts there
    };

    [[nodiscard]] std::size_t position_of(std::uint64_t address) const {
        // What is asked next lies in the same section nearly always.
        const std::uint64_t offset = address - extent_.address;
        return offset < extent_.size ? extent_.position + static_cast<std::size_t>(offset) : find_position(address);
    }
    [[nodiscard]] std::size_t find_position(std::uint64_t address) const;
    [[nodiscard]] bool is_of_linker(std::uint64_t address) const;
    [[nodiscard]] bool has_mark(std::uint64_t address, Mark one) const {
        const std::size_t position = position_of(address);
        return position != no_position && (marks_[position] & one) != 0;
    }
    void mark(std::uint64_t address, Mark one) {
        if (const std::size_t position = position_of(address); position != no_position) {
            marks_[position] = static_cast<std::uint8_t>(marks_[position] | one);
        }
    }
    [[nodiscard]] const Instruction* decode_at(std::uint64_t address, std::size_t position);
    Function& add_function(std::uint64_t address, std::uint64_t size, std::string_view name);
    /// One that others call by the platform's convention.
    Function& add_known_function(std::uint64_t address, std::uint64_t size, std::string_view name);
    /// Parts that only jumps lead to; in parts.cpp.
    void find_parts();
    /// What the code shows, taken as it lies in memory.
    struct Swept {
        std::vector<std::uint64_t> referenced;  ///< called, or named as an address
        std::vector<std::uint64_t> jumped_to;
        std::vector<std::uint64_t> run_into;  ///< by the instruction in front
    };
    [[nodiscard]] Swept sweep();
    void find_called_functions();
    /// What a function calls or leaves for, along direct jumps; each address once.
    struct Explored {
        std::vector<std::uint64_t> called;
        std::vector<std::uint64_t> through_memory;  ///< by stubs, or by pointers that nothing changes
    };
    [[nodiscard]] Explored explore(std::size_t function);
    void note_destination(const Instruction& instruction, Explored& explored);
    void note_names(const Instruction& instruction);
    /// Where the address in memory leads, which a stub of the linker's jumps to or other code.
    [[nodiscard]] Destination through(std::uint64_t place, bool by_linker) const;

    bool is_shared_ = false;
    const code::CodeMap& map_;
    const Sources* sources_;
    const Image& image_;
    std::vector<Function> functions_;  ///< by address
    std::unordered_map<std::uint64_t, std::size_t> by_address_;
    std::unordered_map<std::string_view, std::uint64_t> exports_;
    std::unordered_multimap<std::uint64_t, std::string_view> empty_parts_;
    std::vector<Extent> extents_;  ///< of the sections
    mutable Extent extent_;  ///< the one that was asked for last
    // By position:
    std::vector<std::uint32_t> decoded_;  ///< 0 not yet, 1 none, otherwise index + 2
    std::vector<std::uint8_t> marks_;  ///< of Mark
    /// As number_at has them; while functions are collected, of the one that explored it last, from 1 on.
    std::vector<std::uint32_t> numbers_;

    std::vector<std::vector<std::size_t>> callees_;  ///< by function
    InstructionStore instructions_;
    std::vector<std::uint64_t> named_;  ///< addresses that code names, in order
};

}  // namespace nasm_build::inspect::abi
