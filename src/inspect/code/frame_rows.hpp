// What an unwind table says of a function's frame: at which address the canonical frame address (CFA) is what register plus what.
//
// DWARF 5, section 6.4 (call frame information); Linux Standard Base, "Exception Frames", for what `.eh_frame` does differently. On
// x86-64 the CFA is rsp before the call that led here: the return address lies 8 bytes below it. The tables of Windows and macOS
// have their own files; they come to the same rows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_view.hpp"

namespace nasm_build::inspect::code {

/// What holds from an address to the next row's.
struct FrameRow {
    /// As instructions encode registers; nothing where an expression gives the CFA, or nobody knows.
    std::optional<std::uint8_t> base;
    std::uint64_t address = 0;
    std::int64_t offset = 0;  ///< CFA = base + offset, in bytes
    bool has_no_caller = false;  ///< the return address is undefined: nobody called this code
    std::array<std::int64_t, 16> saved{};  ///< by register: where it is saved, from the CFA; 0 for one that is not
    std::array<std::int32_t, 16> saved_vectors{};  ///< the same of xmm registers, on Windows

    [[nodiscard]] bool saves_anything() const noexcept;
    /// rsp + 8, and no register saved: the frame of a function that was called just now.
    [[nodiscard]] bool is_that_of_a_call() const noexcept;
};

/// Where in a function the rows of a table are meant to hold.
enum class RowsHold : std::uint8_t {
    everywhere,  ///< `.eh_frame`
    but_for_epilogues,  ///< Windows, which decodes the instructions of an epilogue
    in_the_body,  ///< compact unwind: behind the prologue and before the epilogue
};

/// An entry of a table: its rows, or the instructions that are to be run for them.
struct FrameEntry {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  ///< behind the last byte
    ByteView common_program;  ///< of the CIE: what holds at the beginning
    ByteView program;  ///< of the FDE
    std::uint64_t code_factor = 1;  ///< bytes
    std::int64_t data_factor = 1;  ///< bytes
    std::uint8_t encoding = 0;  ///< DW_EH_PE of addresses
    bool is_signal_frame = false;  ///< the kernel made the frame, and no call
    RowsHold hold = RowsHold::everywhere;
    std::vector<FrameRow> rows;  ///< by address; empty where `program` makes them
};

/// The rows by address; as far as they could be read where the instructions are damaged or of another processor.
[[nodiscard]] std::vector<FrameRow> rows_of(const FrameEntry& entry);

/// The first of them.
[[nodiscard]] FrameRow first_row(const FrameEntry& entry);

/// Whether that is the frame of a function that was called just now.
[[nodiscard]] bool starts_as_called(const FrameEntry& entry);

}  // namespace nasm_build::inspect::code
