#include "inspect/tags/policies.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace nasm_build::inspect {

namespace {

constexpr std::size_t machine_count = 9;

struct MachineRow {
    std::string_view machine;
    int first;
};
struct LibraryRow {
    std::string_view library;
    int first;
};
struct VersionRow {
    std::string_view version;
    std::array<std::int8_t, machine_count> first;  // in the order of `machines`
};
struct PrivateRow {
    std::string_view library;
    std::string_view name;
    int first;
};

#define MANYLINUX_POLICY(...)
#define MANYLINUX_MACHINE(...)
#define MANYLINUX_LIBRARY(...)
#define MANYLINUX_VERSION(...)
#define MANYLINUX_PRIVATE(...)

constexpr auto policies = std::to_array<ManylinuxPolicy>({
#undef MANYLINUX_POLICY
#define MANYLINUX_POLICY(glibc, name) {glibc, name},
#include "inspect/tags/policies.inc"
#undef MANYLINUX_POLICY
#define MANYLINUX_POLICY(...)
});

constexpr auto machines = std::to_array<MachineRow>({
#undef MANYLINUX_MACHINE
#define MANYLINUX_MACHINE(machine, first) {machine, first},
#include "inspect/tags/policies.inc"
#undef MANYLINUX_MACHINE
#define MANYLINUX_MACHINE(...)
});
static_assert(machines.size() == machine_count);

constexpr auto libraries = std::to_array<LibraryRow>({
#undef MANYLINUX_LIBRARY
#define MANYLINUX_LIBRARY(library, first) {library, first},
#include "inspect/tags/policies.inc"
#undef MANYLINUX_LIBRARY
#define MANYLINUX_LIBRARY(...)
});

constexpr auto versions = std::to_array<VersionRow>({
#undef MANYLINUX_VERSION
#define MANYLINUX_VERSION(version, ...) {version, {__VA_ARGS__}},
#include "inspect/tags/policies.inc"
#undef MANYLINUX_VERSION
#define MANYLINUX_VERSION(...)
});

constexpr auto private_names = std::to_array<PrivateRow>({
#undef MANYLINUX_PRIVATE
#define MANYLINUX_PRIVATE(library, name, first) {library, name, first},
#include "inspect/tags/policies.inc"
#undef MANYLINUX_PRIVATE
});

#undef MANYLINUX_POLICY
#undef MANYLINUX_MACHINE
#undef MANYLINUX_LIBRARY
#undef MANYLINUX_VERSION

std::optional<unsigned> glibc_of(int policy) noexcept {
    return policy < 0 ? std::nullopt : std::optional(policies[static_cast<std::size_t>(policy)].glibc);
}

std::optional<std::size_t> index_of(std::string_view machine) noexcept {
    const auto found =
        std::find_if(machines.begin(), machines.end(), [&](const MachineRow& row) { return row.machine == machine; });
    return found == machines.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - machines.begin()));
}

// `GLIBC_2.17` is 17; `GLIBC_2.3.4` is 3, since no tag tells its third number apart. Nothing for `GLIBC_PRIVATE`.
std::optional<unsigned> glibc_number(std::string_view version) noexcept {
    constexpr std::string_view prefix = "GLIBC_2.";
    if (!version.starts_with(prefix)) {
        return std::nullopt;
    }
    version.remove_prefix(prefix.size());
    unsigned minor = 0;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), minor);
    const bool is_whole = end == version.data() + version.size() || *end == '.';
    return error == std::errc() && is_whole ? std::optional(minor) : std::nullopt;
}

std::string_view family_of(std::string_view version) noexcept {
    return version.substr(0, version.find('_'));
}

}  // namespace

std::span<const ManylinuxPolicy> manylinux_policies() noexcept {
    return policies;
}

std::string_view linux_tag_machine(const Image& image) noexcept {
    const bool is_64 = image.pointer_bits == 64;
    switch (image.machine) {
        case Machine::x86_64:
            return is_64 ? "x86_64" : "";  // x32 has no tag
        case Machine::x86:
            return "i686";
        case Machine::arm64:
            return is_64 ? "aarch64" : "";
        case Machine::arm:
            return "armv7l";
        case Machine::ppc64:
            return "ppc64";
        case Machine::ppc64le:
            return "ppc64le";
        case Machine::s390x:
            return is_64 ? "s390x" : "";
        case Machine::riscv64:
            return is_64 ? "riscv64" : "";
        case Machine::loongarch64:
            return is_64 ? "loongarch64" : "";
        case Machine::unknown:
            break;
    }
    return {};
}

std::optional<unsigned> oldest_manylinux(std::string_view machine) noexcept {
    const auto index = index_of(machine);
    return index ? glibc_of(machines[*index].first) : std::nullopt;
}

std::optional<unsigned> manylinux_of_library(std::string_view library) noexcept {
    // The loader itself is named by some modules; it comes with glibc.
    if (library.starts_with("ld-linux") || library.starts_with("ld64.so.")) {
        return policies.front().glibc;
    }
    const auto found =
        std::find_if(libraries.begin(), libraries.end(), [&](const LibraryRow& row) { return row.library == library; });
    return found == libraries.end() ? std::nullopt : glibc_of(found->first);
}

VersionPromise manylinux_of_version(std::string_view machine, std::string_view version) noexcept {
    if (const auto number = glibc_number(version)) {
        return {true, number};
    }
    const std::string_view family = family_of(version);
    VersionPromise promise;
    promise.is_known = family == "GLIBC" || std::any_of(versions.begin(), versions.end(), [&](const VersionRow& row) {
                           return family_of(row.version) == family;
                       });
    const auto found =
        std::find_if(versions.begin(), versions.end(), [&](const VersionRow& row) { return row.version == version; });
    const auto index = index_of(machine);
    if (found != versions.end() && index) {
        promise.glibc = glibc_of(found->first[*index]);
    }
    return promise;
}

std::optional<PrivateName> manylinux_private_name(std::string_view library, std::string_view name) noexcept {
    const auto found = std::find_if(private_names.begin(), private_names.end(),
                                    [&](const PrivateRow& row) { return row.name == name && row.library == library; });
    return found == private_names.end() ? std::nullopt : std::optional(PrivateName{glibc_of(found->first)});
}

bool is_of_musl_1_2(std::string_view name) noexcept {
    return name.starts_with("__") && name.ends_with("_time64");
}

}  // namespace nasm_build::inspect
