// libFuzzer's door to the check of wheels.
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    nasm_build::fuzz::test_one_input("wheel", data, size);
    return 0;
}
