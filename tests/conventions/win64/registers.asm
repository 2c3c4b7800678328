; Functions that keep values in registers: eight general ones and xmm6 to xmm15 are the caller's, and 32 bytes above the return
; address are the function's.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add

;; ms_sum(@numbers, count) -> int64: a leaf with a loop; changes rax, rcx, rdx.
;; inputs: @64,8; @64,0
function ms_sum
        xor     eax, eax
        test    rdx, rdx
        jz      .end
.next:
        add     rax, [rcx]
        add     rcx, 8
        dec     rdx
        jnz     .next
.end:
        ret

;; ms_call(number) -> int64: 32 bytes for the callee, and 8 that align.
;; inputs: 5
function ms_call
        sub     rsp, 40
        import  PyLong_FromLong
        add     rsp, 40
        ret

;; ms_box_sum(first, second) -> int64: keeps one number over a call.
;; inputs: 5,7; 0,0
function ms_box_sum
        push    rbx
        sub     rsp, 32
        mov     rbx, rdx
        import  PyLong_FromLong
        add     rax, rbx
        add     rsp, 32
        pop     rbx
        ret

;; ms_strings(@to, @from, size) -> void: a leaf that needs rdi and rsi, which calls keep here.
;; inputs: @64,@64,9; @64,@64,0
function ms_strings
        push    rdi
        push    rsi
        mov     rdi, rcx
        mov     rsi, rdx
        mov     rcx, r8
        rep movsb
        pop     rsi
        pop     rdi
        ret

;; ms_all_kept(@numbers, count) -> int64: all eight registers, in a loop of calls.
;; inputs: @64,3; @64,0
function ms_all_kept
        push    rbx
        push    rbp
        push    rsi
        push    rdi
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 40
        mov     rbx, rcx
        mov     rbp, rdx
        xor     esi, esi
        mov     edi, 1
        xor     r12d, r12d
        mov     r13d, 3
        xor     r14d, r14d
        xor     r15d, r15d
.next:
        cmp     r15, rbp
        jae     .end
        mov     rcx, [rbx + r15 * 8]
        import  PyLong_FromLong
        add     rsi, rax
        imul    rdi, rax
        xor     r12, rdi
        add     r13, r12
        add     r14, r13
        inc     r15
        jmp     .next
.end:
        lea     rax, [rsi + r14]
        add     rsp, 40
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rdi
        pop     rsi
        pop     rbp
        pop     rbx
        ret

;; ms_home(first, second) -> int64: keeps its arguments, and two registers, in the 32 bytes above the return address.
;; inputs: 5,7; 99,7
function ms_home
        mov     [rsp + 8], rcx
        mov     [rsp + 16], rdx
        mov     [rsp + 24], rbx
        mov     [rsp + 32], rsi
        sub     rsp, 40
        mov     rbx, rdx
        mov     rsi, rcx
        import  PyLong_AsLong
        cmp     rax, -1
        je      .end
        mov     rcx, [rsp + 56]
        import  PyLong_FromLong
        add     rax, rbx
        add     rax, rsi
        sub     rax, [rsp + 48]
.end:
        mov     rsi, [rsp + 72]
        mov     rbx, [rsp + 64]
        add     rsp, 40
        ret

;; ms_checked(object) -> int64: -1 may be a value or a failure; each way has a return of its own.
;; inputs: 5; 99; -6
function ms_checked
        push    rdi
        sub     rsp, 32
        import  PyLong_AsLong
        mov     rdi, rax
        cmp     rax, -1
        jne     .value
        import  PyErr_Occurred
        test    rax, rax
        jnz     .failed
.value:
        lea     rax, [rdi * 2]
        add     rsp, 32
        pop     rdi
        ret
.failed:
        xor     eax, eax
        add     rsp, 32
        pop     rdi
        ret

;; ms_frame(first, second) -> int64: a frame with rbp, locals above the callee's 32 bytes, `leave` at the end.
;; inputs: 3,4; 0,0
function ms_frame
        push    rbp
        mov     rbp, rsp
        sub     rsp, 64
        mov     [rbp - 8], rcx
        mov     [rbp - 16], rdx
        import  PyLong_FromLong
        mov     [rbp - 24], rax
        mov     rcx, [rbp - 16]
        import  PyLong_FromLong
        add     rax, [rbp - 24]
        sub     rax, [rbp - 8]
        leave
        ret

;; ms_frame_saves(first, second, third) -> int64: registers saved by mov, above what the callee may write to.
;; inputs: 1,2,3; 77,2,3
function ms_frame_saves
        sub     rsp, 72
        mov     [rsp + 64], rbx
        mov     [rsp + 56], rsi
        mov     [rsp + 48], r12
        mov     rbx, rcx
        mov     rsi, rdx
        mov     r12, r8
        import  PyNumber_Add
        test    rax, rax
        jz      .end
        mov     rcx, rax
        mov     rdx, r12
        import  PyNumber_Add
        sub     rax, rbx
        add     rax, rsi
.end:
        mov     r12, [rsp + 48]
        mov     rsi, [rsp + 56]
        mov     rbx, [rsp + 64]
        add     rsp, 72
        ret

;; ms_early(object) -> int64: returns before anything is saved where there is nothing to do.
;; inputs: 0; 4; 99
function ms_early
        xor     eax, eax
        test    rcx, rcx
        jz      .nothing
        push    r13
        sub     rsp, 32
        mov     r13, rcx
        import  PyLong_AsLong
        test    rax, rax
        js      .negative
        add     rax, r13
        add     rsp, 32
        pop     r13
        ret
.negative:
        mov     rax, r13
        neg     rax
        add     rsp, 32
        pop     r13
.nothing:
        ret

;; ms_exchange(first, second) -> int64: saves by xchg with a place of its own stack, and back.
;; inputs: 8,3; 1,1
function ms_exchange
        sub     rsp, 40
        mov     [rsp + 32], rcx
        xchg    rdi, [rsp + 32]
        mov     rcx, rdx
        import  PyLong_FromLong
        imul    rax, rdi
        xchg    rdi, [rsp + 32]
        add     rsp, 40
        ret

;; ms_push_number(first, second) -> int64: `push 0` makes a local that is set, and aligns.
;; inputs: 8,3; 1,1
function ms_push_number
        push    r12
        push    rsi
        push    0
        sub     rsp, 32
        mov     r12, rcx
        mov     rsi, rdx
        import  PyLong_FromLong
        add     [rsp + 32], rax
        mov     rcx, rsi
        import  PyLong_FromLong
        add     rax, [rsp + 32]
        sub     rax, r12
        add     rsp, 40
        pop     rsi
        pop     r12
        ret
