; Functions that do more with the stack: arguments behind the caller's 32 bytes, an alignment of their own, ways out of them.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add, PyMem_Malloc, PyMem_Free, PyUnicode_FromFormat, PyErr_NoMemory

;; ms_seven(a, b, c, d, e, f, g) -> int64: three arguments lie behind the 32 bytes.
;; inputs: 1,2,3,4,5,6,7
function ms_seven
        push    rbx
        sub     rsp, 32
        mov     rbx, [rsp + 80]
        add     rcx, rdx
        add     rcx, r8
        add     rcx, r9
        import  PyLong_FromLong
        imul    rax, rbx
        add     rax, [rsp + 88]
        sub     rax, [rsp + 96]
        add     rsp, 32
        pop     rbx
        ret

;; ms_pass_eight($format, number) -> int64: passes four arguments behind the callee's 32 bytes.
;; inputs: $text,4
function ms_pass_eight
        push    r12
        sub     rsp, 64
        mov     r12, rdx
        lea     r8, [rdx + 1]
        lea     r9, [rdx + 2]
        mov     [rsp + 32], rdx
        mov     qword [rsp + 40], 5
        mov     qword [rsp + 48], 6
        mov     [rsp + 56], r8
        import  PyUnicode_FromFormat
        add     rax, r12
        add     rsp, 64
        pop     r12
        ret

;; ms_realign(@numbers, number) -> int64: a frame at a multiple of 32, for a ymm register that is kept there.
;; inputs: @64,4; @64+8,0
function ms_realign
        push    rbp
        mov     rbp, rsp
        push    rbx
        and     rsp, -32
        sub     rsp, 64
        mov     rbx, rcx
        vmovdqu ymm0, [rcx]
        vmovdqa [rsp + 32], ymm0
        vzeroupper
        mov     rcx, rdx
        import  PyLong_FromLong
        vmovdqa ymm0, [rsp + 32]
        vpaddq  ymm0, ymm0, [rbx]
        vmovdqu [rbx], ymm0
        vzeroupper
        mov     rbx, [rbp - 8]
        leave
        ret

;; ms_variable(count) -> int64: as many bytes of stack as are asked for, with the callee's 32 below.
;; inputs: 4; 100; 0
function ms_variable
        push    rbp
        mov     rbp, rsp
        push    rbx
        push    r13
        mov     rbx, rcx
        lea     rax, [rcx + 15]
        and     rax, -16
        sub     rsp, rax
        mov     r13, rsp
        sub     rsp, 32
        xor     ecx, ecx
.fill:
        cmp     rcx, rbx
        jae     .filled
        mov     [r13 + rcx], cl
        inc     rcx
        jmp     .fill
.filled:
        mov     rcx, rbx
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

;; ms_memory(size) -> int64: two failures, each with what it must give back.
;; inputs: 64; 5000; 77
function ms_memory
        push    rbx
        push    rsi
        sub     rsp, 40
        mov     rsi, rcx
        import  PyMem_Malloc
        test    rax, rax
        jz      .no_memory
        mov     rbx, rax
        mov     rcx, rsi
        mov     edx, 2
        import  PyNumber_Add
        test    rax, rax
        jz      .failed
        mov     [rbx], rax
        mov     rsi, rax
        mov     rcx, rbx
        import  PyMem_Free
        mov     rax, rsi
.end:
        add     rsp, 40
        pop     rsi
        pop     rbx
        ret
.failed:
        mov     rcx, rbx
        import  PyMem_Free
        mov     rax, -2
        jmp     .end
.no_memory:
        import  PyErr_NoMemory
        mov     rax, -1
        jmp     .end

;; ms_tail(first, second) -> int64: leaves for another function with nothing on the stack.
;; inputs: 4,5; 0,1
function ms_tail
        test    rcx, rcx
        jz      .boxed
        leave_for PyNumber_Add
.boxed:
        mov     rcx, rdx
        leave_for PyLong_FromLong

;; ms_tail_late(first, second) -> int64: gives its frame back and leaves for another function.
;; inputs: 4,5; 99,1
function ms_tail_late
        push    rbx
        sub     rsp, 32
        mov     rbx, rdx
        import  PyLong_AsLong
        cmp     rax, -1
        je      .failed
        mov     rcx, rax
        mov     rdx, rbx
        add     rsp, 32
        pop     rbx
        leave_for PyNumber_Add
.failed:
        add     rsp, 32
        pop     rbx
        ret
