// libFuzzer's door to the check of Mach-O files, thin and fat.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "macho";
