; kernel.asm: the kernel for x86-64, 16 bytes at a time with SSE2, which every x86-64 processor has.
;
;   uint64_t bytecount_kernel(const uint8_t *data, size_t size, uint8_t byte)
;
; pcmpeqb makes -1 of every byte that is equal, and psubb counts these in sixteen counters of a byte; psadbw adds the counters
; before one of them could overflow, after 255 vectors. The last bytes, fewer than 16, are looked at one by one, so that nothing
; outside the buffer is read. Changes its arguments, rax, two scratch registers and xmm0 to xmm4; calls nothing.

%include "nasm_build/function.inc"

%define wanted          xmm1                ; the byte, sixteen times
%define counters        xmm2
%define total           xmm3                ; two sums of 64 bits
%define zero            xmm4

hidden_leaf_function bytecount_kernel, data, size, byte, scratch(rest), scratch(left)
    movd    wanted, byte.d
    punpcklbw wanted, wanted
    pshuflw wanted, wanted, 0
    punpcklqdq wanted, wanted
    pxor    total, total
    pxor    zero, zero
    mov     rest, size
    shr     rest, 4
    jz      .tail

.next_255:                                  ; as many vectors as a counter can count
    mov     left.d, 255
    cmp     rest, left
    cmovb   left, rest
    sub     rest, left
    pxor    counters, counters
align 16
.next_vector:
    movdqu  xmm0, [data]
    pcmpeqb xmm0, wanted
    psubb   counters, xmm0
    add     data, 16
    dec     left
    jnz     .next_vector
    psadbw  counters, zero
    paddq   total, counters
    test    rest, rest
    jnz     .next_255

.tail:
    movdqa  xmm0, total
    psrldq  xmm0, 8
    paddq   xmm0, total
    movq    rax, xmm0
    and     size.d, 15
    jz      .done
.next_byte:
    xor     left.d, left.d
    cmp     [data], byte.b
    sete    left.b
    add     rax, left
    inc     data
    dec     size
    jnz     .next_byte
.done:
    return  rax
end_function
