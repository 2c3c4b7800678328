#include "inspect/rules/c_library.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <tuple>

namespace nasm_build::inspect {

namespace {

using toolchain::CLibrary;
using toolchain::Target;

struct OlderName {
    std::string_view name;
    unsigned minor;  ///< of glibc 2
};

// PEP 600, "Legacy manylinux tags".
constexpr auto older_names =
    std::to_array<OlderName>({{"manylinux1_", 5}, {"manylinux2010_", 12}, {"manylinux2014_", 17}});

bool take_number(std::string_view& text, unsigned& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data() + text.size() || *end != '_') {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

std::optional<OldestLibrary> parse(const std::string& tag, std::string_view prefix) {
    std::string_view rest = tag;
    OldestLibrary library{0, 0, tag};
    if (prefix == "manylinux_") {
        for (const OlderName& older : older_names) {
            if (rest.starts_with(older.name)) {
                library.major = 2;
                library.minor = older.minor;
                return library;
            }
        }
    }
    if (!rest.starts_with(prefix)) {
        return std::nullopt;
    }
    rest.remove_prefix(prefix.size());
    if (!take_number(rest, library.major) || !take_number(rest, library.minor)) {
        return std::nullopt;
    }
    return library;
}

std::optional<OldestLibrary> oldest(const Expectations& expected, std::string_view prefix) {
    std::optional<OldestLibrary> found;
    for (const std::string& tag : expected.platform_tags) {
        std::optional<OldestLibrary> one = parse(tag, prefix);
        if (one && (!found || std::tie(one->major, one->minor) < std::tie(found->major, found->minor))) {
            found = std::move(one);
        }
    }
    return found;
}

bool is_promised(const Expectations& expected, CLibrary library) {
    return std::any_of(expected.targets.begin(), expected.targets.end(),
                       [library](const Target& target) { return target.c_library == library; });
}

}  // namespace

bool may_meet_glibc(const Expectations& expected) {
    return expected.targets.empty() || is_promised(expected, CLibrary::gnu);
}

bool may_meet_musl(const Expectations& expected) {
    return is_promised(expected, CLibrary::musl);
}

Severity severity_by_library(const Expectations& expected, Severity usual) {
    return may_meet_musl(expected) && !may_meet_glibc(expected) ? Severity::warning : usual;
}

std::optional<OldestLibrary> oldest_glibc(const Expectations& expected) {
    return oldest(expected, "manylinux_");
}

std::optional<OldestLibrary> oldest_musl(const Expectations& expected) {
    return oldest(expected, "musllinux_");
}

}  // namespace nasm_build::inspect
