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
    bool is_part = false;  ///< of another function, which jumps to it
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

    /// Decoded once; nothing outside of code, and for bytes that are no instruction.
    [[nodiscard]] const Instruction* instruction_at(std::uint64_t address);
    /// What the unwind tables say of an address; nothing where no entry covers it.
    [[nodiscard]] const code::FrameEntry* frame_at(std::uint64_t address) const { return map_.frame_at(address); }
    [[nodiscard]] bool is_code(std::uint64_t address) const { return map_.section_at(address) != nullptr; }

    /// Where ways meet: a new block starts there.
    [[nodiscard]] bool is_leader(std::uint64_t address) const;
    void make_leader(std::uint64_t address);

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
    struct Place {
        std::size_t section = 0;
        std::size_t offset = 0;
    };
    [[nodiscard]] std::optional<Place> place_of(std::uint64_t address) const;
    Function& add_function(std::uint64_t address, std::uint64_t size, std::string_view name);
    /// One that others call by the platform's convention.
    void add_known_function(std::uint64_t address, std::uint64_t size, std::string_view name);
    /// Parts that only jumps lead to; in parts.cpp.
    void find_parts();
    /// The addresses that code calls or names.
    [[nodiscard]] std::vector<std::uint64_t> sweep();
    void find_called_functions();
    /// The addresses that a function calls or leaves for, along direct jumps.
    [[nodiscard]] std::vector<std::uint64_t> explore(std::size_t function);
    void note_names(const Instruction& instruction);
    /// Where the address in memory leads, which a stub of the linker's jumps to or other code.
    [[nodiscard]] Destination through(std::uint64_t place, bool by_linker) const;

    const code::CodeMap& map_;
    const Sources* sources_;
    const Image& image_;
    std::vector<Function> functions_;  ///< by address
    std::unordered_map<std::uint64_t, std::size_t> by_address_;
    std::unordered_map<std::string_view, std::uint64_t> exports_;
    std::unordered_multimap<std::uint64_t, std::string_view> empty_parts_;
    std::vector<std::vector<std::uint32_t>> decoded_;  ///< a section's bytes: 0 not yet, 1 none, otherwise index + 2
    std::vector<std::vector<bool>> leaders_;
    std::vector<std::vector<std::uint32_t>> explored_;  ///< by which function last, counted from 1
    std::vector<std::vector<std::size_t>> callees_;  ///< by function
    std::vector<Instruction> instructions_;
    std::vector<std::uint64_t> named_;  ///< addresses that code names, in order
};

}  // namespace nasm_build::inspect::abi
