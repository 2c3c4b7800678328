// libFuzzer's door to the verifier of calling conventions: modules with other code in them.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "code";
