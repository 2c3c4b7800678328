// What one binary needs of the platform that it is loaded on, each thing with the lowest tag that promises it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/expectations.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// A thing that must be there, and the symbol that asks for it.
struct PlatformNeed {
    std::string what;  ///< `GLIBC_2.34`, `libquux.so.1`
    std::string library;  ///< whose version it is; empty for a library itself
    std::string symbol;  ///< one that asks for it, or empty
    bool weak = false;  ///< the loader goes on without it
    std::optional<unsigned> glibc;  ///< the N of the lowest manylinux_2_N that promises it; nothing when none does
};

/// The C library that a module's file name says: none for `.abi3.so`, `.so` and libraries; either for CPython 3.10 and older,
/// which say `gnu` on musl as well.
enum class NamedLibrary : std::uint8_t { none, gnu, musl, either };

/// The facts of one binary (or slice) from which the tags of a wheel follow.
struct BinaryNeeds {
    std::string member;  ///< the name inside a wheel, or the path; set by the caller
    std::string slice;
    Format format = Format::elf;
    std::string
        machine;  ///< in the words of the format's tags: `x86_64`, `arm64`, `win_amd64`; empty when there is no such tag
    NamedLibrary named = NamedLibrary::none;

    // ELF
    std::vector<PlatformNeed> needs;  ///< libraries and versions that the wheel does not bring
    bool needs_glibc = false;
    bool needs_musl = false;
    bool needs_c_library = false;  ///< has a name of the C library that no library was linked for
    std::optional<unsigned> glibc;  ///< the N of manylinux_2_N; nothing when something needed is in none
    std::optional<unsigned> musl;  ///< the N of musllinux_1_N; nothing likewise

    // Mach-O
    std::optional<std::pair<unsigned, unsigned>> minimum_macos;
    std::vector<std::string> foreign_libraries;  ///< neither macOS' nor the wheel's
};

/// Says whether the wheel itself brings a library.
using IsBundled = std::function<bool(std::string_view library)>;

/// `file` is what the file's name says. Nothing is known of PE but its machine: every Windows has what it needs, or it is the
/// rules' to say.
[[nodiscard]] BinaryNeeds platform_needs(const Image& image, const Expectations& file, const IsBundled& is_bundled);

/// Whether every machine of a musllinux tag has the library: musl itself, and zlib by the policies that auditwheel keeps.
[[nodiscard]] bool is_promised_by_musllinux(std::string_view library) noexcept;

}  // namespace nasm_build::inspect
