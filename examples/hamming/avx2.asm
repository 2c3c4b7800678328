; avx2.asm: the kernel for processors with AVX2 and POPCNT, 128 bytes at a time.
;
;   uint64_t hamming_avx2(const void *first, const void *second, size_t size)
;
; vpshufb looks up the number of bits of sixteen nibbles at once in each half (W. Mula's method). A byte has room for the
; sums of four vectors, at most 32. Changes its arguments, rax, r10 and ymm0 to ymm5.

%include "nasm_build/function.inc"

SECTION_RODATA
bits_of_nibble:         times 2 db 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4
low_nibbles:            times 32 db 0x0f

%define bits            ymm4                ; the table
%define count           ymm5                ; four sums of 64 bits

; differing VECTOR, SCRATCH, OFFSET: the differing bits of 32 bytes, counted by bytes.
%macro differing 3.nolist
    vmovdqu %1, [first + %3]
    vpxor   %1, %1, [second + %3]
    vpsrlw  %2, %1, 4
    vpand   %1, %1, [low_nibbles]
    vpand   %2, %2, [low_nibbles]
    vpshufb %1, bits, %1
    vpshufb %2, bits, %2
    vpaddb  %1, %1, %2
%endmacro

hidden_leaf_function hamming_avx2, first, second, size
    vmovdqu bits, [bits_of_nibble]
    vpxor   count, count, count
    sub     size, 128
    jb      .fewer_than_128
align 16
.next_128:
    differing ymm0, ymm1, 0
    differing ymm2, ymm3, 32
    vpaddb  ymm0, ymm0, ymm2
    differing ymm1, ymm3, 64
    vpaddb  ymm0, ymm0, ymm1
    differing ymm2, ymm3, 96
    vpaddb  ymm0, ymm0, ymm2
    vpxor   ymm1, ymm1, ymm1
    vpsadbw ymm0, ymm0, ymm1
    vpaddq  count, count, ymm0
    sub     first, -128
    sub     second, -128
    sub     size, 128
    jae     .next_128

.fewer_than_128:                            ; size is 128 too small: its low seven bits are those of the rest
    vextracti128 xmm0, count, 1
    vpaddq  xmm0, xmm0, xmm5
    vpsrldq xmm1, xmm0, 8
    vpaddq  xmm0, xmm0, xmm1
    vmovq   rax, xmm0
    vzeroupper
    and     size, 127
    sub     size, 8
    jb      .fewer_than_8
.next_8:
    mov     r10, [first]
    xor     r10, [second]
    popcnt  r10, r10
    add     rax, r10
    add     first, 8
    add     second, 8
    sub     size, 8
    jae     .next_8
.fewer_than_8:
    and     size, 7
    jz      .done
.next_byte:
    movzx   r10d, byte [first + size - 1]
    xor     r10b, [second + size - 1]
    popcnt  r10d, r10d
    add     rax, r10
    dec     size
    jnz     .next_byte
.done:
    return
end_function
