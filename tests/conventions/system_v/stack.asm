; Functions that do more with the stack: arguments on it, an alignment of their own, depths that differ, ways out of them.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add, PyMem_Malloc, PyMem_Free, PyUnicode_FromFormat, PyErr_NoMemory
imports PyErr_SetString

;; sv_nine(a, b, c, d, e, f, g, h, i) -> int64: three arguments lie on the stack.
;; inputs: 1,2,3,4,5,6,7,8,9
function sv_nine
        push    rbx
        mov     rbx, [rsp + 16]
        add     rdi, rsi
        add     rdi, rdx
        add     rdi, rcx
        import  PyLong_FromLong
        imul    rax, rbx
        add     rax, [rsp + 24]
        sub     rax, [rsp + 32]
        pop     rbx
        ret

;; sv_pass_eight($format, number) -> int64: passes two arguments on the stack, to a function with `...`.
;; inputs: $text,4
function sv_pass_eight
        push    r12
        mov     r12, rsi
        lea     rdx, [rsi + 1]
        lea     rcx, [rsi + 2]
        lea     r8, [rsi + 3]
        lea     r9, [rsi + 4]
        xor     eax, eax
        push    6
        push    r12
        import  PyUnicode_FromFormat
        add     rsp, 16
        add     rax, r12
        pop     r12
        ret

;; sv_pass_seven($format, number) -> int64: one argument on the stack, and so 8 bytes that align.
;; inputs: $text,4
function sv_pass_seven
        sub     rsp, 24
        mov     [rsp + 16], rsi
        mov     qword [rsp], 11
        mov     qword [rsp + 8], 12
        mov     rdx, rsi
        mov     ecx, 3
        mov     r8d, 4
        mov     r9d, 5
        xor     eax, eax
        import  PyUnicode_FromFormat
        add     rax, [rsp + 16]
        add     rsp, 24
        ret

;; sv_realign(@numbers, number) -> int64: a frame at a multiple of 32, for a ymm register that is kept there.
;; inputs: @64,4; @64+8,0
function sv_realign
        push    rbp
        mov     rbp, rsp
        push    rbx
        and     rsp, -32
        sub     rsp, 64
        mov     rbx, rdi
        vmovdqu ymm0, [rdi]
        vmovdqa [rsp], ymm0
        vzeroupper
        mov     rdi, rsi
        import  PyLong_FromLong
        vmovdqa ymm0, [rsp]
        vpaddq  ymm0, ymm0, [rbx]
        vmovdqu [rbx], ymm0
        vzeroupper
        mov     rbx, [rbp - 8]
        leave
        ret

;; sv_realign_16(number) -> int64: rsp as it was is kept in a register, not in a frame.
;; inputs: 4
function sv_realign_16
        push    r12
        mov     r12, rsp
        sub     rsp, 40
        and     rsp, -16
        pxor    xmm0, xmm0
        movaps  [rsp], xmm0
        mov     [rsp + 16], rdi
        import  PyLong_FromLong
        add     rax, [rsp + 16]
        mov     rsp, r12
        pop     r12
        ret

;; sv_variable(count) -> int64: as many bytes of stack as are asked for.
;; inputs: 4; 100; 0
function sv_variable
        push    rbp
        mov     rbp, rsp
        push    rbx
        push    r13
        mov     rbx, rdi
        lea     rax, [rdi + 15]
        and     rax, -16
        sub     rsp, rax
        mov     r13, rsp
        xor     ecx, ecx
.fill:
        cmp     rcx, rbx
        jae     .filled
        mov     [r13 + rcx], cl
        inc     rcx
        jmp     .fill
.filled:
        mov     rdi, rbx
        import  PyLong_FromLong
        test    rbx, rbx
        jz      .end
        movzx   ecx, byte [r13 + rbx - 1]
        add     rax, rcx
.end:
        lea     rsp, [rbp - 16]
        pop     r13
        pop     rbx
        pop     rbp
        ret

;; sv_memory(size) -> int64: two failures, each with what it must give back.
;; inputs: 64; 5000; 77
function sv_memory
        push    rbx
        push    rbp
        sub     rsp, 8
        mov     rbp, rdi
        import  PyMem_Malloc
        test    rax, rax
        jz      .no_memory
        mov     rbx, rax
        mov     rdi, rbp
        mov     esi, 2
        import  PyNumber_Add
        test    rax, rax
        jz      .failed
        mov     [rbx], rax
        mov     rbp, rax
        mov     rdi, rbx
        import  PyMem_Free
        mov     rax, rbp
.end:
        add     rsp, 8
        pop     rbp
        pop     rbx
        ret
.failed:
        mov     rdi, rbx
        import  PyMem_Free
        mov     rax, -2
        jmp     .end
.no_memory:
        import  PyErr_NoMemory
        mov     rax, -1
        jmp     .end

;; sv_tail(first, second) -> int64: leaves for another function with nothing on the stack.
;; inputs: 4,5; 0,1
function sv_tail
        test    rdi, rdi
        jz      .boxed
        leave_for PyNumber_Add
.boxed:
        mov     rdi, rsi
        leave_for PyLong_FromLong

;; sv_tail_late(first, second) -> int64: gives its frame back and leaves for another function.
;; inputs: 4,5; 99,1
function sv_tail_late
        push    rbx
        mov     rbx, rsi
        import  PyLong_AsLong
        cmp     rax, -1
        je      .failed
        mov     rdi, rax
        mov     rsi, rbx
        pop     rbx
        leave_for PyNumber_Add
.failed:
        pop     rbx
        ret

;; sv_depths(object, count) -> int64: pushes in a loop, and gives all back at once.
;; inputs: 3,4; 3,0
function sv_depths
        push    rbp
        mov     rbp, rsp
        mov     rcx, rsi
        and     esi, 1
        shl     esi, 3
        sub     rsp, rsi
        mov     rsi, rcx
        test    rcx, rcx
        jz      .pushed
.push:
        push    rcx
        dec     rcx
        jnz     .push
.pushed:
        mov     rax, rdi
        test    rsi, rsi
        jz      .end
        add     rax, [rsp]
.end:
        mov     rsp, rbp
        pop     rbp
        ret

;; sv_error($text, number) -> int32: a function with void result, and the value that says failure.
;; inputs: $text,-1; $text,1
function sv_error
        test    esi, esi
        js      .raise
        xor     eax, eax
        ret
.raise:
        sub     rsp, 8
        mov     rsi, rdi
        import  PyErr_SetString
        add     rsp, 8
        mov     eax, -1
        ret
