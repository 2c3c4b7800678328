// libFuzzer's door to the lines of objects: a module and its object in one input (pairs.hpp), with the verifier.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "lines";
