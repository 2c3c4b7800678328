// libFuzzer's door to the check of ELF files.
#include "target.hpp"

const char* const nasm_build::fuzz::target_format = "elf";
