// What Linux' platform tags promise: which libraries every machine has, and up to which version of their symbols.
//
// manylinux_2_N (PEP 600) promises glibc 2.N and, by the policies that auditwheel keeps, a few more libraries; musllinux_1_N
// (PEP 656) promises musl 1.N alone. The tables are generated (tools/tag_policies); they say where they were read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// A named step of manylinux. Tags between two steps promise their own glibc and what the step below promises otherwise.
struct ManylinuxPolicy {
    unsigned glibc = 0;  ///< the N of glibc 2.N
    std::string_view older_name;  ///< `manylinux2014`: what installers knew before PEP 600; or empty
};

/// All of them, the oldest first.
[[nodiscard]] std::span<const ManylinuxPolicy> manylinux_policies() noexcept;

/// The machine's word in a Linux tag; empty for one that no policy knows.
[[nodiscard]] std::string_view linux_tag_machine(const Image& image) noexcept;

/// The N of the lowest manylinux_2_N that there is for a machine's word; nothing for one without a policy.
[[nodiscard]] std::optional<unsigned> oldest_manylinux(std::string_view machine) noexcept;

/// The N of the lowest manylinux_2_N that lets a binary need the library; nothing when none does.
[[nodiscard]] std::optional<unsigned> manylinux_of_library(std::string_view library) noexcept;

/// What the policies say of a symbol version such as `GLIBC_2.34` or `GLIBCXX_3.4.21`.
struct VersionPromise {
    bool is_known = false;  ///< false for a family of which the policies say nothing, such as `ALSA`
    std::optional<unsigned> glibc;  ///< the N of the lowest manylinux_2_N that promises it; nothing when none does
};
[[nodiscard]] VersionPromise manylinux_of_version(std::string_view machine, std::string_view version) noexcept;

/// A name that a library has for itself and that some tags do not promise: the lowest manylinux_2_N that does, or nothing.
struct PrivateName {
    std::optional<unsigned> glibc;
};
[[nodiscard]] std::optional<PrivateName> manylinux_private_name(std::string_view library,
                                                                std::string_view name) noexcept;

/// Whether a name is one that musl 1.2.0 has and 1.1.24 has not: those of the 64-bit time_t of 32-bit machines. On x86-64 the
/// two export the same names (compared with readelf).
[[nodiscard]] bool is_of_musl_1_2(std::string_view name) noexcept;

}  // namespace nasm_build::inspect
