// The table of targets: what each platform needs of NASM, of a linker and of a file's name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::toolchain {

/// How objects of a target are joined into a module.
enum class LinkStyle : std::uint8_t { elf, macho, coff, none };

/// The C library that a Linux target runs on; it decides the module's file name.
enum class CLibrary : std::uint8_t { not_applicable, gnu, musl };

/// One row of the table, or the fallback row for a platform that NASM cannot write for.
struct Target {
    std::string name;  ///< `linux-x86_64`, `macosx-x86_64`, `win-amd64`; the platform as it was given for a fallback
    std::string platform;  ///< as given, sysconfig's word: `linux-x86_64`, `macosx-11.0-x86_64`, `win-amd64`
    bool assembles = false;  ///< false: this target is a fallback, C sources replace the assembly
    std::string object_format;  ///< `elf64`, `macho64`, `win64`
    std::string symbol_prefix;  ///< `_` on Mach-O
    std::string debug_format;  ///< `dwarf`, `cv8`
    std::vector<std::string> defines;  ///< `PIE`, `LINUX`, …
    LinkStyle link_style = LinkStyle::none;
    CLibrary c_library = CLibrary::not_applicable;
};

/// The target for a platform word of sysconfig's get_platform(). A 32-bit Python on a 64-bit machine reports the
/// machine's word, so `pointer_bits` decides too. Throws Error for a word that is no platform.
[[nodiscard]] Target find_target(std::string_view platform, unsigned pointer_bits = 64,
                                 CLibrary c_library = CLibrary::gnu);

/// The word for the machine that this program runs on.
[[nodiscard]] std::string host_platform();

}  // namespace nasm_build::toolchain
