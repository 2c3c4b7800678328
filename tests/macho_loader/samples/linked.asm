; linked.asm: what a linker makes fixups as opcodes, lazy binds and compact unwind data of.
;
; Assembled by the tests with `nasm -f macho64`, linked with LLVM's ld64. laid_out.asm offers the same functions.
bits 64
default rel

extern _PyLong_FromLong, _PyLong_Type
global _marker, _rebased, _far_rebased, _bound, _added, _called, _through

section .text
_marker:                                ; () -> 0x600d
    mov     eax, 0x600d
    ret

_rebased:                               ; () -> the address of marker
    mov     rax, [pointer]
    ret

_far_rebased:                           ; () -> the address of marker, from another page
    mov     rax, [far_pointer]
    ret

_bound:                                 ; () -> the address of PyLong_Type
    mov     rax, [type]
    ret

_added:                                 ; () -> the address of PyLong_Type + 24
    mov     rax, [type_and_more]
    ret

_called:                                ; () -> a new int, 42
    mov     edi, 42
    jmp     _PyLong_FromLong

_through:                               ; (function): calls it, with rbx and r12 used for something else
    push    rbp
    mov     rbp, rsp
    push    r12
    push    rbx
    mov     ebx, 0xbad
    mov     r12d, 0xbad
    call    rdi
    pop     rbx
    pop     r12
    pop     rbp
    ret
through_length equ $ - _through

; One record: a frame pointer, two words of saved registers below it; rbx is 1, and r12, above it, is 2.
section __LD,__compact_unwind align=8
    dq _through
    dd through_length, 0x01000000 | 2 << 16 | 2 << 3 | 1
    dq 0, 0

section .data align=8
pointer:        dq _marker
type:           dq _PyLong_Type
type_and_more:  dq _PyLong_Type + 24
                times 8192 db 0
far_pointer:    dq _marker
