#include "inspect/tags/tags.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "inspect/tags/policies.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::CLibrary;

template <typename Predicate>
bool any_of(std::span<const BinaryNeeds> binaries, Predicate predicate) {
    return std::any_of(binaries.begin(), binaries.end(), predicate);
}

std::string place_of(const BinaryNeeds& binary) {
    return binary.slice.empty() ? binary.member : fmt::format("{} ({})", binary.member, binary.slice);
}

std::string named(const PlatformNeed& need) {
    if (need.library.empty()) {
        return need.what;
    }
    if (need.what == need.symbol) {
        return fmt::format("the private {} of {}", need.what, need.library);
    }
    return need.symbol.empty() ? fmt::format("{} of {}", need.what, need.library)
                               : fmt::format("{} of {} (for {})", need.what, need.library, need.symbol);
}

void add_manylinux(PlatformTags& found, unsigned glibc, const std::string& machine) {
    found.tags.push_back(fmt::format("manylinux_2_{}_{}", glibc, machine));
    // Installers from before PEP 600 know three names; the first that promises enough is one that they take.
    for (const ManylinuxPolicy& policy : manylinux_policies()) {
        if (policy.glibc >= glibc && !policy.older_name.empty()) {
            found.tags.push_back(fmt::format("{}_{}", policy.older_name, machine));
            return;
        }
    }
}

// The needs that no lower tag promises, one line a binary and thing.
void say_why(PlatformTags& found, std::span<const BinaryNeeds> binaries, unsigned glibc, unsigned oldest) {
    for (const BinaryNeeds& binary : binaries) {
        for (const PlatformNeed& need : binary.needs) {
            if (need.glibc == glibc && glibc > oldest) {
                found.why.push_back(fmt::format("{}: needs {}, which manylinux_2_{} promises first", place_of(binary),
                                                named(need), glibc));
            }
        }
    }
}

void say_what_keeps_it(PlatformTags& found, std::span<const BinaryNeeds> binaries) {
    for (const BinaryNeeds& binary : binaries) {
        for (const PlatformNeed& need : binary.needs) {
            if (!need.glibc && !binary.needs_musl) {
                found.why.push_back(
                    fmt::format("{}: needs {}, which no manylinux tag promises", place_of(binary), named(need)));
            } else if (binary.needs_musl && need.library.empty() && !is_promised_by_musllinux(need.what)) {
                found.why.push_back(
                    fmt::format("{}: needs {}, which no musllinux tag promises", place_of(binary), named(need)));
            }
        }
    }
}

PlatformTags linux_tags(std::span<const BinaryNeeds> binaries, CLibrary c_library) {
    PlatformTags found;
    const std::string& machine = binaries.front().machine;
    const bool asks_glibc =
        any_of(binaries, [](const BinaryNeeds& one) { return one.needs_glibc || one.named == NamedLibrary::gnu; });
    const bool asks_musl =
        any_of(binaries, [](const BinaryNeeds& one) { return one.needs_musl || one.named == NamedLibrary::musl; });
    // A name that either library's CPythons look for, or a function that both have: the one it was built with is meant.
    const bool is_builds_own = any_of(
        binaries, [](const BinaryNeeds& one) { return one.needs_c_library || one.named == NamedLibrary::either; });
    const bool neither = !asks_glibc && !asks_musl;
    const bool for_glibc = neither ? !is_builds_own || c_library != CLibrary::musl : asks_glibc;
    const bool for_musl = neither ? !is_builds_own || c_library == CLibrary::musl : asks_musl;
    const auto oldest = oldest_manylinux(machine);
    const bool glibc_allows = oldest && !any_of(binaries, [](const BinaryNeeds& one) { return !one.glibc; });
    const bool musl_allows = !any_of(binaries, [](const BinaryNeeds& one) { return !one.musl; });
    if (asks_glibc && asks_musl) {
        found.why.emplace_back("some of its binaries are for glibc and some for musl, which no tag promises together");
    } else {
        if (for_glibc && glibc_allows) {
            unsigned glibc = *oldest;
            for (const BinaryNeeds& one : binaries) {
                glibc = std::max(glibc, *one.glibc);
            }
            add_manylinux(found, glibc, machine);
            say_why(found, binaries, glibc, *oldest);
        }
        if (for_musl && musl_allows) {
            unsigned musl = 1;
            for (const BinaryNeeds& one : binaries) {
                musl = std::max(musl, *one.musl);
            }
            found.tags.push_back(fmt::format("musllinux_1_{}_{}", musl, machine));
        }
    }
    if (found.tags.empty()) {
        found.is_local = true;
        found.tags.push_back("linux_" + machine);
        say_what_keeps_it(found, binaries);
        if (found.why.empty()) {
            found.why.push_back(fmt::format("nothing is known of what other systems on {} have", machine));
        }
    }
    return found;
}

PlatformTags macos_tags(std::span<const BinaryNeeds> binaries) {
    PlatformTags found;
    // A file's slices are told apart by their names; a thin file is for its own machine alone.
    std::set<std::string> members;
    std::set<std::pair<std::string, std::string>> slices;
    for (const BinaryNeeds& one : binaries) {
        members.insert(one.member);
        slices.insert({one.member, one.machine});
        if (!one.minimum_macos) {
            found.why.push_back(place_of(one) + ": does not say the oldest macOS that it runs on");
        }
        for (const std::string& library : one.foreign_libraries) {
            found.why.push_back(fmt::format("{}: needs {}, which macOS does not have", place_of(one), library));
        }
    }
    const auto every_file_has = [&](const char* machine) {
        return std::all_of(members.begin(), members.end(), [&](const std::string& member) {
            return slices.contains({member, machine});
        });
    };
    const bool intel = every_file_has("x86_64");
    const bool arm = every_file_has("arm64");
    if (!intel && !arm) {
        found.why.emplace_back("no machine has code in every one of its binaries");
    }
    if (!found.why.empty()) {
        return found;
    }
    // arm64 began with macOS 11, so its slice in a universal2 file asks for nothing below; the other slice says more.
    constexpr std::pair<unsigned, unsigned> first_on_arm{11, 0};
    std::pair<unsigned, unsigned> oldest = intel ? std::pair{10U, 0U} : first_on_arm;
    const BinaryNeeds* asking = nullptr;
    for (const BinaryNeeds& one : binaries) {
        const bool counts = (intel && one.machine == "x86_64") || (arm && one.machine == "arm64");
        const bool is_floor = one.machine == "arm64" && *one.minimum_macos <= first_on_arm;
        if (counts && !is_floor && *one.minimum_macos > oldest) {
            oldest = *one.minimum_macos;
            asking = &one;
        }
    }
    if (asking != nullptr) {
        found.why.push_back(fmt::format("{}: needs macOS {}.{}", place_of(*asking), oldest.first, oldest.second));
    }
    // pip takes macOS 11 and later by the major version alone.
    found.tags.push_back(fmt::format("macosx_{}_{}_{}", oldest.first, oldest.first > 10 ? 0 : oldest.second,
                                     intel && arm ? "universal2"
                                     : intel      ? "x86_64"
                                                  : "arm64"));
    return found;
}

}  // namespace

PlatformTags lowest_platform_tags(std::span<const BinaryNeeds> binaries, CLibrary c_library) {
    PlatformTags found;
    if (binaries.empty()) {
        found.tags = {"any"};
        return found;
    }
    const BinaryNeeds& first = binaries.front();
    for (const BinaryNeeds& one : binaries) {
        if (one.machine.empty()) {
            found.why.push_back(fmt::format("{}: is for a machine that has no tag", place_of(one)));
        } else if (one.format != first.format || (one.format != Format::macho && one.machine != first.machine)) {
            found.why.push_back(fmt::format("{}: is {} for {}, and {} is {} for {}", place_of(one), name_of(one.format),
                                            one.machine, place_of(first), name_of(first.format), first.machine));
        }
    }
    if (!found.why.empty()) {
        return found;
    }
    switch (first.format) {
        case Format::elf:
            return linux_tags(binaries, c_library);
        case Format::macho:
            return macos_tags(binaries);
        case Format::pe:
            break;
    }
    found.tags = {first.machine};
    return found;
}

}  // namespace nasm_build::inspect
