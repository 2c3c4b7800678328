// libFuzzer's door to the check of PE files.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "pe";
