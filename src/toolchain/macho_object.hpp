// Takes the labels inside of functions out of a Mach-O object's symbol table, before a linker takes them for functions.
//
// NASM writes every label there, down to `.loop`, `..@macro.local` and the fields of a struc. lld (14 to 22) and zig's linker
// begin a new piece of code at each symbol, and one that no record of __compact_unwind begins at counts as code that cannot be
// unwound: the unwind data of a function ends at its first label (measured; Apple's linker makes atoms at symbols too). x264,
// dav1d and FFmpeg strip the objects of their assembly for the same reason.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nasm_build::toolchain {

/// Whether the bytes begin as an object does that has no such labels in its way: ELF, COFF, Mach-O for another processor.
[[nodiscard]] bool is_object_of_another_kind(std::span<const std::byte> object) noexcept;

/// The object without its labels. Code, data and the meaning of every relocation stay as they are.
///
/// These symbols stay: global and undefined ones; local names without a dot that are functions or data; names that a
/// relocation needs. A name inside of a function, where an unwind record says that it reaches so far, goes even without a dot;
/// what refers to it then refers to the function, and so much further. The records of __compact_unwind name their functions by
/// place, as clang's do: zig's linker takes a symbol there for the start of its section (measured, 0.17.1).
///
/// An object that was trimmed comes back as it is. Throws Error for bytes that are no whole Mach-O object for x86-64.
[[nodiscard]] std::vector<std::byte> trim_macho_object(std::span<const std::byte> object);

}  // namespace nasm_build::toolchain
