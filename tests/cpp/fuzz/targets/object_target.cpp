// libFuzzer's door to the check of the objects that NASM and compilers write.
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    nasm_build::fuzz::test_one_input("object", data, size);
    return 0;
}
