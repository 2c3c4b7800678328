; sse2.asm: the kernel for every x86-64 processor, 64 bytes at a time.
;
;   uint64_t hamming_sse2(const void *first, const void *second, size_t size)
;
; Without an instruction that counts bits, neighbouring fields of 1, 2 and 4 bits are added, and psadbw adds the bytes. A
; byte has room for the sums of four vectors, at most 32. Changes its arguments, rax, r10 and xmm0 to xmm5.

%include "nasm_build/function.inc"

SECTION_RODATA
every_other_bit:        times 16 db 0x55
every_other_pair:       times 16 db 0x33
every_other_nibble:     times 16 db 0x0f

%define count           xmm5                ; two sums of 64 bits
%define scratch_vector  xmm4

; byte_counts VECTOR: in every byte the number of bits that were set in it.
%macro byte_counts 1.nolist
    movdqa  scratch_vector, %1
    psrlw   scratch_vector, 1
    pand    scratch_vector, [every_other_bit]
    psubb   %1, scratch_vector              ; of pairs: ab becomes a + b = ab - a
    movdqa  scratch_vector, %1
    psrlw   scratch_vector, 2
    pand    %1, [every_other_pair]
    pand    scratch_vector, [every_other_pair]
    paddb   %1, scratch_vector
    movdqa  scratch_vector, %1
    psrlw   scratch_vector, 4
    paddb   %1, scratch_vector
    pand    %1, [every_other_nibble]
%endmacro

; add_bytes VECTOR: adds its sixteen bytes to the count.
%macro add_bytes 1.nolist
    pxor    scratch_vector, scratch_vector
    psadbw  %1, scratch_vector
    paddq   count, %1
%endmacro

; differing VECTOR, OFFSET: the differing bits of sixteen bytes, counted by bytes.
%macro differing 2.nolist
    movdqu  %1, [first + %2]
    movdqu  scratch_vector, [second + %2]
    pxor    %1, scratch_vector
    byte_counts %1
%endmacro

hidden_leaf_function hamming_sse2, first, second, size
    pxor    count, count
    sub     size, 64
    jb      .fewer_than_64
align 16
.next_64:
    differing xmm0, 0
    differing xmm1, 16
    differing xmm2, 32
    differing xmm3, 48
    paddb   xmm0, xmm1
    paddb   xmm2, xmm3
    paddb   xmm0, xmm2
    add_bytes xmm0
    add     first, 64
    add     second, 64
    sub     size, 64
    jae     .next_64

.fewer_than_64:                             ; size is 64 too small: its low six bits are those of the rest
    and     size, 63
    sub     size, 16
    jb      .fewer_than_16
.next_16:
    differing xmm0, 0
    add_bytes xmm0
    add     first, 16
    add     second, 16
    sub     size, 16
    jae     .next_16

.fewer_than_16:
    pxor    xmm0, xmm0
    pxor    xmm1, xmm1
    test    size, 8
    jz      .fewer_than_8
    movq    xmm0, [first]
    movq    xmm1, [second]
    pxor    xmm0, xmm1
    add     first, 8
    add     second, 8
.fewer_than_8:
    xor     eax, eax
    and     size, 7
    jz      .last
.next_byte:                                 ; at most seven, in any order
    movzx   r10d, byte [first + size - 1]
    xor     r10b, [second + size - 1]
    shl     rax, 8
    or      rax, r10
    dec     size
    jnz     .next_byte
.last:
    movq    xmm1, rax
    punpcklqdq xmm0, xmm1
    byte_counts xmm0
    add_bytes xmm0
    movdqa  xmm0, count
    psrldq  xmm0, 8
    paddq   xmm0, count
    movq    rax, xmm0
    return
end_function
