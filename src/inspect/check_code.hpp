// The part of a check that looks at code: reads it where that is asked for and cheap enough, and applies its rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"
#include "inspect/read/object.hpp"
#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

/// Modules with more bytes of code are read when they are asked for alone: 16 MiB take about a quarter of a second.
inline constexpr std::uint64_t code_limit = std::uint64_t{16} << 20U;

/// How much of a check's work on code is wanted.
struct CodeOptions {
    bool whatever_the_size = false;
    bool verify = false;  ///< the calling conventions, over every path
    std::span<const ObjectCode> objects = {};  ///< the code of the objects that the module was linked from
};

/// Adds to `verdict` what the rules say of the image's code, and to `report` its level. `file` is the whole file.
void add_code_verdict(std::span<const std::byte> file, const Image& image, const Expectations& expected,
                      const CodeOptions& options, Verdict& verdict, FileReport& report);

}  // namespace nasm_build::inspect
