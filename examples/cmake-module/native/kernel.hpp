// kernel.hpp: what bytecount.cpp asks of a kernel: kernel.asm on x86-64, kernel_fallback.cpp on every other machine.
#pragma once

#include <cstddef>
#include <cstdint>

/// How often `byte` is in `size` bytes. Any alignment; nothing outside the bytes is read.
extern "C" std::uint64_t bytecount_kernel(const std::uint8_t* data, std::size_t size, std::uint8_t byte);
