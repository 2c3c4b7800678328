#include "inspect/check_code.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "inspect/abi/program.hpp"
#include "inspect/abi/verify.hpp"
#include "inspect/code/code.hpp"
#include "inspect/code/code_map.hpp"
#include "inspect/rules/abi.hpp"
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

// Why the code is not read at all; empty where it is.
std::string foreign_machine(const Image& image) {
    return code::is_scanned(image)
               ? std::string()
               : fmt::format("it is code for {}, and that for x86-64 alone is read", name_of(image.machine));
}

std::string too_large(const Image& image, const CodeOptions& options) {
    const std::uint64_t size = code::code_size(image);
    return size > code_limit && !options.whatever_the_size
               ? fmt::format("it has {} MiB of code (give --isa to have it read)", size >> 20U)
               : std::string();
}

Verdict verdict_on(std::span<const std::byte> file, const Image& image, const Expectations& expected,
                   const CodeOptions& options, FileReport& report) {
    if (const std::string reason = foreign_machine(image); !reason.empty()) {
        return code_not_applicable(reason);
    }
    if (const std::string reason = too_large(image, options); !reason.empty()) {
        return code_not_checked(reason);
    }
    try {
        const code::Code code = code::read_code(file, image);
        report.code = level_of(code);
        return check_code(code, image, expected);
    } catch (const Error& error) {
        return code_not_checked(error.what());
    }
}

Verdict conventions_of(std::span<const std::byte> file, const Image& image, const Expectations& expected,
                       const CodeOptions& options, FileReport& report) {
    if (!expected.is_extension_module) {
        return {};  // settled by the registry's rows
    }
    if (!options.verify) {
        return abi_not_applicable("--abi asks for it", image);
    }
    if (const std::string reason = foreign_machine(image); !reason.empty()) {
        return abi_not_applicable(reason, image);
    }
    std::string reason = too_large(image, options);
    if (reason.empty()) {
        reason = image.contents.missing.empty() && image.contents.pieces.empty()
                     ? "without an entry point it is not known what its code is called by"
                     : image.contents.missing;
    }
    if (!reason.empty()) {
        return abi_not_checked(reason, image);
    }
    try {
        const code::CodeMap map = code::code_map(code::bytes_of(file, image), image, code::Frames::all);
        const abi::Sources sources(options.objects, map);
        abi::Program program(map, image, &sources);
        const abi::Verified verified = abi::verify(program);
        report.followed = {verified.functions, verified.not_followed.size()};
        return check_abi(verified, image, expected);
    } catch (const Error& error) {
        return abi_not_checked(error.what(), image);
    }
}

}  // namespace

void add_code_verdict(std::span<const std::byte> file, const Image& image, const Expectations& expected,
                      const CodeOptions& options, Verdict& verdict, FileReport& report) {
    append(verdict, verdict_on(file, image, expected, options, report));
    append(verdict, conventions_of(file, image, expected, options, report));
    sort_by_severity(verdict.findings);
}

}  // namespace nasm_build::inspect
