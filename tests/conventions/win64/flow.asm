; Functions with more to follow: jump tables, helpers with a convention of their own, pointers to functions, string instructions.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add

;; ms_table(which, number) -> int64: a table of distances behind the jump.
;; inputs: 0,5; 1,5; 2,5; 3,5; 9,5
function ms_table
        push    rbx
        sub     rsp, 32
        mov     rbx, rdx
        cmp     ecx, 3
        ja      .other
        lea     rax, [.distances]
        mov     ecx, ecx
        movsxd  rcx, [rax + rcx * 4]
        add     rax, rcx
        jmp     rax
align 4
.distances:
        dd      .add - .distances, .boxed - .distances, .other - .distances, .twice - .distances
.add:
        lea     rax, [rbx + 1]
        add     rsp, 32
        pop     rbx
        ret
.boxed:
        mov     rcx, rbx
        import  PyLong_FromLong
        jmp     .end
.twice:
        mov     rcx, rbx
        import  PyLong_FromLong
        add     rbx, rax
.other:
        mov     rax, rbx
.end:
        add     rsp, 32
        pop     rbx
        ret

;; ms_helper(first, second) -> int64: a helper that takes r10 and r11, leaves its result in rsi and needs no 32 bytes.
;; inputs: 3,4; 4,3
function ms_helper
        push    rsi
        mov     r10, rcx
        mov     r11, rdx
        call    ms_helper_larger
        mov     rcx, rsi
        sub     rsp, 32
        import  PyLong_FromLong
        add     rax, rsi
        add     rsp, 32
        pop     rsi
        ret
ms_helper_larger:
        mov     rsi, r10
        cmp     r10, r11
        jae     .end
        mov     rsi, r11
.end:
        ret

;; ms_helper_calls(first, second) -> int64: a helper that calls out, with a frame of its own.
;; inputs: 3,4; 99,3
function ms_helper_calls
        push    rbx
        push    r13
        sub     rsp, 40
        mov     rbx, rdx
        call    ms_helper_calls_number
        mov     r13, rax
        mov     rcx, rbx
        call    ms_helper_calls_number
        add     rax, r13
        add     rsp, 40
        pop     r13
        pop     rbx
        ret
ms_helper_calls_number:
        sub     rsp, 40
        import  PyLong_AsLong
        cmp     rax, -1
        je      .failed
        mov     rcx, rax
        import  PyLong_FromLong
.failed:
        add     rsp, 40
        ret

;; ms_pointer(&function, first, second) -> int64: calls through a pointer that it was given.
;; inputs: &PyNumber_Add,4,5; &PyLong_FromLong,1,2
function ms_pointer
        push    rbx
        push    rdi
        push    r14
        sub     rsp, 32
        mov     rbx, rcx
        mov     rdi, r8
        mov     rcx, rdx
        mov     rdx, r8
        call    rbx
        mov     r14, rax
        mov     rcx, rdi
        mov     rdx, rax
        call    rbx
        add     rax, r14
        add     rsp, 32
        pop     r14
        pop     rdi
        pop     rbx
        ret

;; ms_copy_back(@to, size) -> void: moves bytes upwards, the last one first.
;; inputs: @64,16; @64,0
function ms_copy_back
        push    rsi
        push    rdi
        test    rdx, rdx
        jz      .end
        lea     rsi, [rcx + rdx - 1]
        lea     rdi, [rsi + 8]
        mov     rcx, rdx
        std
        rep movsb
        cld
.end:
        pop     rdi
        pop     rsi
        ret
