; Functions that keep values in registers: leaves, pushes, frames with rbp, branches, loops, early returns.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add, PyErr_NoMemory

;; sv_sum(@numbers, count) -> int64: the sum of 64-bit numbers. A leaf with a loop; changes rax, rdi, rsi.
;; inputs: @64,8; @64,1; @64,0
function sv_sum
        xor     eax, eax
        test    rsi, rsi
        jz      .end
.next:
        add     rax, [rdi]
        add     rdi, 8
        dec     rsi
        jnz     .next
.end:
        ret

;; sv_clamp(number, least, most) -> int64: a leaf with three returns.
;; inputs: 5,1,9; 0,1,9; 10,1,9
function sv_clamp
        cmp     rdi, rsi
        jl      .least
        cmp     rdi, rdx
        jg      .most
        mov     rax, rdi
        ret
.least:
        mov     rax, rsi
        ret
.most:
        mov     rax, rdx
        ret

;; sv_box_sum(first, second) -> int64: keeps one number over a call. One push aligns as well.
;; inputs: 5,7; 0,0
function sv_box_sum
        push    rbx
        mov     rbx, rsi
        import  PyLong_FromLong
        add     rax, rbx
        pop     rbx
        ret

;; sv_two_kept(first, second) -> int64: two registers kept, and 8 bytes that align.
;; inputs: 5,7; 99,1
function sv_two_kept
        push    rbx
        push    r12
        sub     rsp, 8
        mov     rbx, rdi
        mov     r12, rsi
        import  PyLong_AsLong
        mov     rdi, r12
        mov     r12, rax
        import  PyLong_AsLong
        lea     rax, [rax + r12]
        xor     rax, rbx
        add     rsp, 8
        pop     r12
        pop     rbx
        ret

;; sv_all_kept(@numbers, count) -> int64: all six registers, in a loop of calls.
;; inputs: @64,3; @64,0
function sv_all_kept
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 8
        mov     rbx, rdi
        mov     rbp, rsi
        xor     r12d, r12d
        mov     r13d, 1
        xor     r14d, r14d
        xor     r15d, r15d
.next:
        cmp     r15, rbp
        jae     .end
        mov     rdi, [rbx + r15 * 8]
        import  PyLong_FromLong
        add     r12, rax
        imul    r13, rax
        xor     r14, r13
        inc     r15
        jmp     .next
.end:
        lea     rax, [r12 + r14]
        add     rsp, 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

;; sv_checked(object) -> int64: -1 may be a value or a failure; each way has a return of its own.
;; inputs: 5; 99; -6
function sv_checked
        push    rbx
        import  PyLong_AsLong
        mov     rbx, rax
        cmp     rax, -1
        jne     .value
        import  PyErr_Occurred
        test    rax, rax
        jnz     .failed
.value:
        lea     rax, [rbx * 2]
        pop     rbx
        ret
.failed:
        xor     eax, eax
        pop     rbx
        ret

;; sv_frame(first, second) -> int64: a frame with rbp, locals below it, `leave` at the end.
;; inputs: 3,4; 0,0
function sv_frame
        push    rbp
        mov     rbp, rsp
        sub     rsp, 32
        mov     [rbp - 8], rdi
        mov     [rbp - 16], rsi
        import  PyLong_FromLong
        mov     [rbp - 24], rax
        mov     rdi, [rbp - 16]
        import  PyLong_FromLong
        add     rax, [rbp - 24]
        sub     rax, [rbp - 8]
        leave
        ret

;; sv_frame_saves(first, second, third) -> int64: registers saved in the frame by mov, restored below rbp.
;; inputs: 1,2,3; 77,2,3
function sv_frame_saves
        push    rbp
        mov     rbp, rsp
        sub     rsp, 32
        mov     [rbp - 8], rbx
        mov     [rbp - 16], r14
        mov     [rbp - 24], r15
        mov     rbx, rdi
        mov     r14, rsi
        mov     r15, rdx
        import  PyNumber_Add
        test    rax, rax
        jz      .end
        mov     rdi, rax
        mov     rsi, r15
        import  PyNumber_Add
        sub     rax, rbx
        add     rax, r14
.end:
        mov     rbx, [rbp - 8]
        mov     r14, [rbp - 16]
        mov     r15, [rbp - 24]
        mov     rsp, rbp
        pop     rbp
        ret

;; sv_early(object) -> int64: returns before anything is saved where there is nothing to do.
;; inputs: 0; 4; 99
function sv_early
        xor     eax, eax
        test    rdi, rdi
        jz      .nothing
        push    r13
        mov     r13, rdi
        import  PyLong_AsLong
        test    rax, rax
        js      .negative
        add     rax, r13
        pop     r13
        ret
.negative:
        mov     rax, r13
        neg     rax
        pop     r13
.nothing:
        ret

;; sv_save_late(number, object) -> int64: saves a register in one branch alone.
;; inputs: 1,6; 0,6
function sv_save_late
        sub     rsp, 24
        test    edi, edi
        jnz     .call_twice
        mov     rdi, rsi
        import  PyLong_FromLong
        jmp     .end
.call_twice:
        mov     [rsp + 8], r15
        mov     r15, rsi
        mov     rdi, rsi
        import  PyLong_FromLong
        mov     rdi, rax
        mov     rsi, r15
        import  PyNumber_Add
        mov     r15, [rsp + 8]
.end:
        add     rsp, 24
        ret

;; sv_exchange(first, second) -> int64: saves by xchg with a place of its own stack, and back.
;; inputs: 8,3; 1,1
function sv_exchange
        sub     rsp, 8
        mov     [rsp], rdi
        xchg    rbx, [rsp]
        mov     rdi, rsi
        import  PyLong_FromLong
        imul    rax, rbx
        xchg    rbx, [rsp]
        add     rsp, 8
        ret

;; sv_push_number(first, second) -> int64: `push 0` makes a local that is set, and aligns.
;; inputs: 8,3; 1,1
function sv_push_number
        push    r12
        push    r13
        push    0
        mov     r12, rdi
        mov     r13, rsi
        import  PyLong_FromLong
        add     [rsp], rax
        mov     rdi, r13
        import  PyLong_FromLong
        add     rax, [rsp]
        sub     rax, r12
        add     rsp, 8
        pop     r13
        pop     r12
        ret

;; sv_red_zone(first, second, third) -> int64: a leaf that keeps its locals below rsp.
;; inputs: 8,3,1; 1,1,0
function sv_red_zone
        mov     [rsp - 8], rdi
        mov     [rsp - 16], rsi
        mov     [rsp - 128], rdx
        xor     eax, eax
        test    rdx, rdx
        jz      .end
        mov     rax, [rsp - 8]
        imul    rax, [rsp - 16]
.end:
        add     rax, [rsp - 128]
        ret

;; sv_saved_below(@numbers, count) -> int64: a leaf that saves a register in the red zone.
;; inputs: @64,5; @64,0
function sv_saved_below
        mov     [rsp - 8], rbx
        mov     [rsp - 16], r12
        xor     ebx, ebx
        xor     r12d, r12d
.next:
        cmp     rbx, rsi
        jae     .end
        add     r12, [rdi + rbx * 8]
        inc     rbx
        jmp     .next
.end:
        mov     rax, r12
        mov     r12, [rsp - 16]
        mov     rbx, [rsp - 8]
        ret
