// kernel_fallback.cpp: the kernel in portable C++.
#include "kernel.hpp"

#include <algorithm>

std::uint64_t bytecount_kernel(const std::uint8_t* data, std::size_t size, std::uint8_t byte) {
    return static_cast<std::uint64_t>(std::count(data, data + size, byte));
}
