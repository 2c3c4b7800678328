// What the libFuzzer targets share: the whole check of an input, and mutations that know where the fields are.
#pragma once

namespace nasm_build::fuzz {

/// Which format a target's inputs are checked as; each target defines it.
extern const char* const target_format;

}  // namespace nasm_build::fuzz
