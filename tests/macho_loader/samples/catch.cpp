// catch.cpp: throws a C++ exception through a function in assembly, and looks at the registers behind it.
#include <cstdint>

namespace {
void throws() {
    throw 42;
}
}  // namespace

/// What was caught, and what rbx, r12 and rbp held then, in digits: 42 01 02 03 when all is well.
extern "C" std::int64_t caught_through(void (*function)(void (*)())) {
    register std::int64_t in_rbx asm("rbx") = 1;
    register std::int64_t in_r12 asm("r12") = 2;
    register std::int64_t in_rbp asm("rbp") = 3;
    asm volatile("" : "+r"(in_rbx), "+r"(in_r12), "+r"(in_rbp));
    std::int64_t caught = 0;
    try {
        function(throws);
    } catch (int value) {
        caught = value;
    }
    asm volatile("" : "+r"(in_rbx), "+r"(in_r12), "+r"(in_rbp));
    return caught * 1000000 + in_rbx * 10000 + in_r12 * 100 + in_rbp;
}
