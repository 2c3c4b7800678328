/* kernel.h: what bitcount.c asks of a kernel: kernel.asm on x86-64, kernel_fallback.c on every other machine. */
#ifndef BITCOUNT_KERNEL_H
#define BITCOUNT_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* The number of set bits in `size` bytes. Any alignment; nothing outside the bytes is read. */
uint64_t bitcount_kernel(const uint8_t *data, size_t size);

#endif
