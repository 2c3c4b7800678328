// What the libFuzzer targets share: the whole check of an input, and mutations that know where the fields are.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nasm_build::fuzz {

/// Checks the input as a file of its format; ends the process when that ends in anything but a report.
void test_one_input(const char* format, const std::uint8_t* data, std::size_t size);

}  // namespace nasm_build::fuzz
