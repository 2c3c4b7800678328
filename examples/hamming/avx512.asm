; avx512.asm: the kernel for processors with AVX-512 F, BW and VPOPCNTDQ, 128 bytes at a time.
;
;   uint64_t hamming_avx512(const void *first, const void *second, size_t size)
;
; The rest is read under a mask, which touches no byte beyond the end. Changes its arguments, rax, r10, k1 and zmm0 to
; zmm3.

%include "nasm_build/function.inc"

hidden_leaf_function hamming_avx512, first, second, size
    vpxorq  zmm2, zmm2, zmm2                ; eight sums of 64 bits, and eight more
    vpxorq  zmm3, zmm3, zmm3
    sub     size, 128
    jb      .fewer_than_128
align 16
.next_128:
    vmovdqu64 zmm0, [first]
    vmovdqu64 zmm1, [first + 64]
    vpxorq  zmm0, zmm0, [second]
    vpxorq  zmm1, zmm1, [second + 64]
    vpopcntq zmm0, zmm0
    vpopcntq zmm1, zmm1
    vpaddq  zmm2, zmm2, zmm0
    vpaddq  zmm3, zmm3, zmm1
    sub     first, -128
    sub     second, -128
    sub     size, 128
    jae     .next_128

.fewer_than_128:                            ; size is 128 too small: its low seven bits are those of the rest
    and     size, 127
    test    size, 64
    jz      .fewer_than_64
    vmovdqu64 zmm0, [first]
    vpxorq  zmm0, zmm0, [second]
    vpopcntq zmm0, zmm0
    vpaddq  zmm2, zmm2, zmm0
    add     first, 64
    add     second, 64
.fewer_than_64:
    and     size, 63
    jz      .sum
    mov     r10, -1
    mov     eax, 64
    sub     eax, size.d
.next_bit:                                  ; r10: as many low bits as there are bytes left
    shr     r10, 1
    dec     eax
    jnz     .next_bit
    kmovq   k1, r10
    vmovdqu8 zmm0 {k1}{z}, [first]
    vmovdqu8 zmm1 {k1}{z}, [second]
    vpxorq  zmm0, zmm0, zmm1
    vpopcntq zmm0, zmm0
    vpaddq  zmm2, zmm2, zmm0
.sum:
    vpaddq  zmm2, zmm2, zmm3
    vextracti64x4 ymm0, zmm2, 1
    vpaddq  ymm0, ymm0, ymm2
    vextracti128 xmm1, ymm0, 1
    vpaddq  xmm0, xmm0, xmm1
    vpsrldq xmm1, xmm0, 8
    vpaddq  xmm0, xmm0, xmm1
    vmovq   rax, xmm0
    vzeroupper
    return
end_function
