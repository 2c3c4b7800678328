// Where the code of a module lies, and where functions may start in it: what the headers, symbols and unwind tables say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_view.hpp"
#include "inspect/code/frame_rows.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect::code {

/// A piece of executable memory with its bytes in the file.
struct CodeSection {
    std::string name;
    std::uint64_t address = 0;
    ByteView bytes;
    bool is_of_linker = false;  ///< a procedure linkage table, or stubs: jumps that the linker made

    [[nodiscard]] bool contains(std::uint64_t where) const noexcept {
        return where >= address && where - address < bytes.size();
    }
};

/// How a start came to be known, the most trustworthy first.
enum class Origin : std::uint8_t {
    function,  ///< a symbol that is a function's, or an entry of an unwind table: code for certain
    label,  ///< a symbol without a type: it may be a table
    pointer,  ///< an address in data, or a symbol within a function (NASM's `.loop`): it may be the middle of something
};

struct Start {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  ///< 0 when it is not known
    Origin origin = Origin::function;
    bool is_part = false;  ///< of another function, which jumps to it: a `.cold` part
    std::string_view name;  ///< lives as long as the file's bytes; empty when it has none
};

struct CodeMap {
    std::vector<CodeSection> sections;  ///< by address, without overlap
    std::vector<Start> starts;  ///< by address; at one address the most trustworthy, with the name of any
    std::vector<Start> empty_parts;  ///< `.cold` parts without a byte: gcc's targets of jumps that are never taken
    std::vector<FrameEntry> frames;  ///< what the unwind tables say, by address; empty where that was not wanted
    bool has_indirect_functions =
        false;  ///< ELF STT_GNU_IFUNC: the loader asks a function of the module which one to take
    bool may_have_tables_in_functions = false;  ///< PE: Microsoft's compiler puts jump tables between functions

    [[nodiscard]] std::uint64_t code_size() const noexcept;
    [[nodiscard]] const CodeSection* section_at(std::uint64_t address) const noexcept;
    /// The entry that an address lies in.
    [[nodiscard]] const FrameEntry* frame_at(std::uint64_t address) const noexcept;
};

/// Whether the frames of functions are wanted, which take as long as the rest of the map.
enum class Frames : std::uint8_t { none, all };

/// Reads the map of one image; `file` is the whole file, or the slice's bytes. Throws Error with one line.
[[nodiscard]] CodeMap code_map(ByteView file, const Image& image, Frames frames = Frames::none);

/// Puts the sections by address, without overlap: to be called before `section_at`.
void order_sections(ByteView file, CodeMap& map);

// The parts of `code_map`, a file each; each orders the sections.
void map_elf(ByteView file, Frames frames, CodeMap& map);
void map_pe(ByteView file, const Image& image, Frames frames, CodeMap& map);
void map_macho(ByteView slice, Frames frames, CodeMap& map);

/// Whether a label is one within a function: NASM's `.loop` (which is `function.loop`) and those of its macros (`..@2.x`).
[[nodiscard]] bool is_inner_label(std::string_view name) noexcept;

}  // namespace nasm_build::inspect::code
