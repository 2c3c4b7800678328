; kernel.asm: the kernel for x86-64, 64 bytes at a time with SSE2, which every x86-64 processor has.
;
;   uint64_t bitcount_kernel(const uint8_t *data, size_t size)
;
; The method is that of kernel_fallback.c in sixteen bytes at once: neighbouring fields of 1, 2 and 4 bits are added,
; and psadbw adds the bytes. Fields have room for sums over several vectors: a nibble for those of two (at most 8), a
; byte for those of four (at most 32), so four vectors share the later steps.
;
; Clobbers its arguments, rax, r8 and xmm0-xmm5: the caller's to lose in System V and on Windows alike, so there is
; nothing to save. Calls nothing, uses no stack.

default rel

%ifidn __?OUTPUT_FORMAT?__, win64
    %define data        rcx
    %define size        rdx
%else
    %define data        rdi
    %define size        rsi
%endif
%define count           xmm5            ; two sums of 64 bits

%ifidn __?OUTPUT_FORMAT?__, win64
section .rdata rdata align=16
%else
section .rodata align=16
%endif
every_other_bit:        times 16 db 0x55
every_other_pair:       times 16 db 0x33
every_other_nibble:     times 16 db 0x0f

section .text

; nibble_counts VECTOR, SCRATCH: in every nibble the number of bits that were set in it, 0 to 4.
%macro nibble_counts 2.nolist
    movdqa  %2, %1
    psrlw   %2, 1
    pand    %2, [every_other_bit]
    psubb   %1, %2                      ; of pairs: ab becomes a + b = ab - a
    movdqa  %2, %1
    psrlw   %2, 2
    pand    %1, [every_other_pair]
    pand    %2, [every_other_pair]
    paddb   %1, %2
%endmacro

; byte_sums VECTOR, SCRATCH: in every byte the sum of its two nibbles.
%macro byte_sums 2.nolist
    movdqa  %2, %1
    psrlw   %2, 4
    pand    %1, [every_other_nibble]
    pand    %2, [every_other_nibble]
    paddb   %1, %2
%endmacro

; add_bytes VECTOR, SCRATCH: adds the sixteen bytes to the count.
%macro add_bytes 2.nolist
    pxor    %2, %2
    psadbw  %1, %2
    paddq   count, %1
%endmacro

%ifidn __?OUTPUT_FORMAT?__, elf64
global bitcount_kernel:function hidden (bitcount_kernel.end - bitcount_kernel)
%else
global bitcount_kernel
%endif
align 16
bitcount_kernel:
    pxor    count, count
    sub     size, 64
    jb      .fewer_than_64

align 16
.next_64:
    movdqu  xmm0, [data]
    movdqu  xmm1, [data + 16]
    nibble_counts xmm0, xmm4
    nibble_counts xmm1, xmm4
    paddb   xmm0, xmm1
    byte_sums xmm0, xmm4
    movdqu  xmm2, [data + 32]
    movdqu  xmm3, [data + 48]
    nibble_counts xmm2, xmm4
    nibble_counts xmm3, xmm4
    paddb   xmm2, xmm3
    byte_sums xmm2, xmm4
    paddb   xmm0, xmm2
    add_bytes xmm0, xmm4
    add     data, 64
    sub     size, 64
    jae     .next_64

.fewer_than_64:                         ; size is 64 too small: its low six bits are those of the rest
    and     size, 63
    sub     size, 16
    jb      .fewer_than_16

.next_16:
    movdqu  xmm0, [data]
    nibble_counts xmm0, xmm4
    byte_sums xmm0, xmm4
    add_bytes xmm0, xmm4
    add     data, 16
    sub     size, 16
    jae     .next_16

.fewer_than_16:                         ; as above; the last bytes are read in powers of two, none beyond the end
    pxor    xmm0, xmm0
    xor     eax, eax
    test    size, 8
    jz      .no_8
    movq    xmm0, [data]
    add     data, 8
.no_8:
    test    size, 4
    jz      .no_4
    mov     eax, [data]
    add     data, 4
.no_4:
    test    size, 2
    jz      .no_2
    movzx   r8d, word [data]
    shl     rax, 16
    or      rax, r8
    add     data, 2
.no_2:
    test    size, 1
    jz      .no_1
    movzx   r8d, byte [data]
    shl     rax, 8
    or      rax, r8
.no_1:
    movq    xmm1, rax                   ; at most seven bytes, in any order
    punpcklqdq xmm0, xmm1
    nibble_counts xmm0, xmm4
    byte_sums xmm0, xmm4
    add_bytes xmm0, xmm4

    movdqa  xmm0, count
    psrldq  xmm0, 8
    paddq   xmm0, count
    movq    rax, xmm0
    ret
.end:

%ifidn __?OUTPUT_FORMAT?__, elf64
section .note.GNU-stack noalloc noexec nowrite progbits     ; asks the linker for a stack that is not executable
%endif
