// A Linux binary against what the wheel's tag promises: the libraries that it needs, and the versions of their symbols.
//
// manylinux (PEP 600) and musllinux (PEP 656) say what every machine has that an installer gives such a wheel to. What the
// wheel brings itself is not held against the tag.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "inspect/rules/libraries.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/tags/needs.hpp"
#include "inspect/tags/platform_tag.hpp"
#include "inspect/tags/policies.hpp"

namespace nasm_build::inspect {

namespace {

constexpr std::array<std::string_view, 2> both = {rule::library_not_allowed, rule::symbol_version};

// Libraries that a graphics driver brings: no wheel can, and who has the hardware has them.
constexpr auto of_drivers = std::to_array<std::string_view>(
    {"libcuda.so.", "libnvidia-", "libnvcuvid.so.", "libOpenCL.so.", "libvulkan.so.", "libEGL.so.", "libGLX.so.",
     "libOpenGL.so.", "libamdhip64.so.", "libze_loader.so."});

// What is promised, in both families of tags; of several tags of one family the lowest counts.
struct Promise {
    std::optional<unsigned> glibc;
    std::string glibc_tag;
    std::string musl_tag;
};

Promise promise_of(const Expectations& expected) {
    Promise found;
    for (const std::string& tag : expected.platform_tags) {
        const PlatformTag parts = parse_platform_tag(tag);
        if (parts.kind == PlatformKind::manylinux && parts.major == 2 &&
            (!found.glibc || parts.minor <= *found.glibc)) {
            // Of `manylinux_2_17` and `manylinux2014`, which say the same, the first is named.
            const bool is_same = found.glibc == parts.minor;
            found.glibc = parts.minor;
            found.glibc_tag = is_same ? found.glibc_tag : tag;
        } else if (parts.kind == PlatformKind::musllinux && found.musl_tag.empty()) {
            found.musl_tag = tag;
        }
    }
    return found;
}

bool is_of_driver(std::string_view library) {
    return std::any_of(of_drivers.begin(), of_drivers.end(),
                       [&](std::string_view start) { return base_name(library).starts_with(start); });
}

// Something else may bring the library: another distribution that is required, a folder that the binary looks into.
bool may_come_from_elsewhere(const Image& image, const Expectations& expected, std::string_view library) {
    return is_of_driver(library) || !image.run_paths.empty() || !expected.is_extension_module ||
           (expected.wheel != nullptr && expected.wheel->has_dependencies);
}

Finding not_allowed(const Image& image, const Expectations& expected, const std::string& library,
                    const std::string& tag) {
    const bool is_open = may_come_from_elsewhere(image, expected, library);
    return make_finding(
        rule::library_not_allowed, is_open ? Severity::warning : Severity::error,
        {fmt::format("needs {}, which is not in the wheel, and which {} does not promise", library, tag),
         "let auditwheel repair put it into the wheel, or link it statically; else the wheel's tag is that of the "
         "machine that built it (platform-tag = \"linux\")"});
}

void check_libraries(Verdict& verdict, const Image& image, const Expectations& expected, const BinaryNeeds& needs,
                     const Promise& promise) {
    for (const PlatformNeed& need : needs.needs) {
        if (!need.library.empty() || is_libpython(need.what)) {
            continue;
        }
        const bool is_in_manylinux = need.glibc && promise.glibc && *need.glibc <= *promise.glibc;
        if (promise.glibc && !is_in_manylinux) {
            verdict.findings.push_back(not_allowed(image, expected, need.what, promise.glibc_tag));
        } else if (!promise.musl_tag.empty() && !is_promised_by_musllinux(need.what)) {
            verdict.findings.push_back(not_allowed(image, expected, need.what, promise.musl_tag));
        }
    }
}

// `GLIBC` of `GLIBC_2.34`.
std::string family_of(const PlatformNeed& need) {
    return need.what.substr(0, need.what.find('_'));
}

bool is_newer(const PlatformNeed& one, const PlatformNeed& other) {
    return !one.glibc ? other.glibc.has_value() : other.glibc && *one.glibc > *other.glibc;
}

std::string fix_for(const PlatformNeed& need, const BinaryNeeds& needs, const Promise& promise) {
    const std::string older = fmt::format("build it where glibc is 2.{} or older", *promise.glibc);
    if (!needs.glibc) {
        return need.glibc
                   ? older
                   : fmt::format("build it against an older {}, or let auditwheel repair put that into the wheel",
                                 need.library);
    }
    return fmt::format("tag the wheel manylinux_2_{}_{}, or {}", *needs.glibc, needs.machine, older);
}

// One finding a family: what is newer than the newest of them is not worth a line each.
void check_versions(Verdict& verdict, const BinaryNeeds& needs, const Promise& promise) {
    std::map<std::string, const PlatformNeed*> newest;
    for (const PlatformNeed& need : needs.needs) {
        const bool is_version = !need.library.empty() && need.what != need.symbol;
        if (!is_version || need.weak || (need.glibc && *need.glibc <= *promise.glibc)) {
            continue;
        }
        const PlatformNeed*& known = newest[family_of(need)];
        known = known == nullptr || is_newer(need, *known) ? &need : known;
    }
    for (const auto& [family, need] : newest) {
        const std::string who = need->symbol.empty() ? need->what : fmt::format("{}@{}", need->symbol, need->what);
        verdict.findings.push_back(make_finding(
            rule::symbol_version,
            {fmt::format("needs {} of {}, which is newer than {} promises", who, need->library, promise.glibc_tag),
             fix_for(*need, needs, promise), need->symbol}));
    }
}

void say_of_both(std::vector<NotApplicable>& list, const std::string& reason) {
    for (const std::string_view id : both) {
        list.push_back({std::string(id), reason});
    }
}

}  // namespace

Verdict check_policy(const Image& image, const Expectations& expected) {
    Verdict verdict;
    if (image.format != Format::elf) {
        return verdict;
    }
    const Promise promise = promise_of(expected);
    if (!promise.glibc && promise.musl_tag.empty()) {
        say_of_both(verdict.not_applicable, "no tag promises other Linux machines than the one that built it");
        return verdict;
    }
    const BinaryNeeds needs = platform_needs(image, expected, [&](std::string_view library) {
        return expected.wheel != nullptr && expected.wheel->binaries.contains(base_name(library));
    });
    if (promise.glibc && !oldest_manylinux(needs.machine)) {
        for (const std::string_view id : both) {
            verdict.not_checked.push_back(
                {std::string(id),
                 fmt::format("nothing is known of what manylinux promises on {}", name_of(image.machine))});
        }
        return verdict;
    }
    check_libraries(verdict, image, expected, needs, promise);
    if (promise.glibc) {
        check_versions(verdict, needs, promise);
    } else {
        verdict.not_applicable.push_back({std::string(rule::symbol_version), "musl gives its symbols no versions"});
    }
    return verdict;
}

bool promises_libraries(const Expectations& expected) {
    const Promise promise = promise_of(expected);
    return promise.glibc || !promise.musl_tag.empty();
}

}  // namespace nasm_build::inspect
