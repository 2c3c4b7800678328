// libFuzzer's door to the check of the objects that NASM and compilers write.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "object";
