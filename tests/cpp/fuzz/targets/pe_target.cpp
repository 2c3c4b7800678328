// libFuzzer's door to the check of PE files.
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    nasm_build::fuzz::test_one_input("pe", data, size);
    return 0;
}
