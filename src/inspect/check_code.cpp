#include "inspect/check_code.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "inspect/code/code.hpp"
#include "inspect/rules/isa.hpp"

namespace nasm_build::inspect {

namespace {

// What Microsoft's runtime brings along (a memcpy with AVX) is no code of the module's.
CodeLevel level_of(const code::Code& code) {
    CodeLevel found;
    code::FeatureSet features;
    for (const code::Function& function : code.functions) {
        if (!function.follows_runtime) {
            features.add(function.features);
        }
    }
    const code::Level level = code::level_of(features);
    found.level = static_cast<unsigned>(level);
    for (const code::Function& function : code.functions) {
        const bool is_own = level > code::Level::v1 && !function.follows_runtime;
        if (is_own && code::level_of(function.features) == level) {
            found.functions.push_back(code::display_name(function));
        }
    }
    return found;
}

Verdict verdict_on(std::span<const std::byte> file, const Image& image, const Expectations& expected,
                   bool whatever_the_size, FileReport& report) {
    if (!code::is_scanned(image)) {
        return code_not_applicable(
            fmt::format("it is code for {}, and that for x86-64 alone is read", name_of(image.machine)));
    }
    const std::uint64_t size = code::code_size(image);
    if (size > code_limit && !whatever_the_size) {
        return code_not_checked(fmt::format("it has {} MiB of code (give --isa to have it read)", size >> 20U));
    }
    try {
        const code::Code code = code::read_code(file, image);
        report.code = level_of(code);
        return check_code(code, image, expected);
    } catch (const Error& error) {
        return code_not_checked(error.what());
    }
}

}  // namespace

void add_code_verdict(std::span<const std::byte> file, const Image& image, const Expectations& expected,
                      bool whatever_the_size, Verdict& verdict, FileReport& report) {
    append(verdict, verdict_on(file, image, expected, whatever_the_size, report));
    sort_by_severity(verdict.findings);
}

}  // namespace nasm_build::inspect
