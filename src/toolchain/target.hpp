// The table of targets: what each platform needs of NASM, of a linker and of a file's name.
#pragma once

#include <cstdint>
#include <optional>
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
    /// `linux-x86_64`, `macosx-x86_64`, `win-amd64`. For a fallback the platform as it was given, but with the machine
    /// that the Python itself runs as: `linux-i686` for a 32-bit Python that reports `linux-x86_64`.
    std::string name;
    std::string platform;  ///< as given, sysconfig's word: `linux-x86_64`, `macosx-11.0-x86_64`, `win-amd64`
    bool assembles = false;  ///< false: this target is a fallback, C sources replace the assembly
    std::string object_format;  ///< `elf64`, `macho64`, `win64`; this and what follows is empty for a fallback
    std::string object_suffix;  ///< `.o`, `.obj`
    std::string symbol_prefix;  ///< `_` on Mach-O
    /// Of a module with two halves (`universal2`) the architecture that C stands in for, `arm64`: what follows is for the
    /// other half. Empty for every other target.
    std::string fallback_half;
    std::string debug_format;  ///< `dwarf`, `cv8`
    std::vector<std::string> defines;  ///< `PIE`, `LINUX`, …
    LinkStyle link_style = LinkStyle::none;
    CLibrary c_library = CLibrary::not_applicable;
};

/// The target for a platform word of sysconfig's get_platform(), or for a row's name. A 32-bit Python on a 64-bit Linux
/// reports the machine's word, so `pointer_bits` (64 or 32) decides too. Throws Error for a word that is no platform.
[[nodiscard]] Target find_target(std::string_view platform, unsigned pointer_bits = 64,
                                 CLibrary c_library = CLibrary::gnu);

/// The target that a wheel's platform tag promises: `manylinux_2_17_x86_64`, `manylinux2014_x86_64`,
/// `musllinux_1_2_x86_64`, `linux_x86_64`, `macosx_11_0_x86_64`, `win_amd64`. Nothing for `any` and for a tag that
/// names no known platform.
[[nodiscard]] std::optional<Target> find_target_of_tag(std::string_view platform_tag);

/// The word for the machine that this program runs on, and the C library it was made for.
[[nodiscard]] std::string host_platform();
[[nodiscard]] CLibrary host_c_library() noexcept;

/// The words of the output: `elf`, `macho`, `coff`, `none`.
[[nodiscard]] const char* name_of(LinkStyle style) noexcept;

/// The parts of a macOS platform word: `macosx-11.0-x86_64` is 11, 0 and `x86_64`. The version is 0.0 where the word has
/// none.
struct MacosPlatform {
    unsigned major = 0;
    unsigned minor = 0;
    std::string architecture;
};
[[nodiscard]] std::optional<MacosPlatform> parse_macos_platform(std::string_view platform);

}  // namespace nasm_build::toolchain
