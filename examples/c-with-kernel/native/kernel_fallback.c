/* kernel_fallback.c: the kernel in portable C, eight bytes at a time. */
#include "kernel.h"

#include <string.h>

/* Adds neighbouring fields of 1, 2 and 4 bits; the product gathers the eight bytes' sums in the highest one. */
static uint64_t count_word(uint64_t word)
{
    word -= (word >> 1) & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + ((word >> 2) & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (word * UINT64_C(0x0101010101010101)) >> 56;
}

uint64_t bitcount_kernel(const uint8_t *data, size_t size)
{
    uint64_t count = 0;
    uint64_t word;

    for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
        memcpy(&word, data, sizeof word); /* data need not be aligned */
        count += count_word(word);
    }
    word = 0;
    if (size) {
        memcpy(&word, data, size);
    }
    return count + count_word(word);
}
