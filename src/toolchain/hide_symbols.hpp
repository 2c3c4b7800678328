// Makes the global symbols of an object known within the finished module alone, as -fvisibility=hidden does for C.
//
// NASM's `global f:function hidden` is for ELF alone, and its macho64 has no word for it; a kernel that C calls would be exported
// by every module that it is linked into.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nasm_build::toolchain {

/// The object with every defined global symbol hidden (ELF: STV_HIDDEN; Mach-O: N_PEXT) but entry points and those of `exports`
/// (as the source names them, without the prefix of Mach-O). A COFF object exports what it names itself and comes back as it is.
/// Throws Error for an ELF or Mach-O object that is damaged.
[[nodiscard]] std::vector<std::byte> hide_symbols(std::span<const std::byte> object,
                                                  const std::vector<std::string>& exports);

}  // namespace nasm_build::toolchain
