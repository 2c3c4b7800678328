// libFuzzer's door to the check of wheels.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "wheel";
