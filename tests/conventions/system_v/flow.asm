; Functions with more to follow: jump tables, helpers with a convention of their own, pointers to functions, string instructions.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add

;; sv_table(which, number) -> int64: a table of distances behind the jump.
;; inputs: 0,5; 1,5; 2,5; 3,5; 9,5
function sv_table
        push    rbx
        mov     rbx, rsi
        cmp     edi, 3
        ja      .other
        lea     rax, [.distances]
        mov     edi, edi
        movsxd  rcx, [rax + rdi * 4]
        add     rax, rcx
        jmp     rax
align 4
.distances:
        dd      .add - .distances, .boxed - .distances, .other - .distances, .twice - .distances
.add:
        lea     rax, [rbx + 1]
        pop     rbx
        ret
.boxed:
        mov     rdi, rbx
        import  PyLong_FromLong
        jmp     .end
.twice:
        mov     rdi, rbx
        import  PyLong_FromLong
        add     rbx, rax
.other:
        mov     rax, rbx
.end:
        pop     rbx
        ret

;; sv_helper(first, second) -> int64: a helper that takes r10 and r11 and leaves its result in r12.
;; inputs: 3,4; 4,3
function sv_helper
        push    r12
        mov     r10, rdi
        mov     r11, rsi
        call    sv_helper_larger
        mov     rdi, r12
        import  PyLong_FromLong
        add     rax, r12
        pop     r12
        ret
sv_helper_larger:
        mov     r12, r10
        cmp     r10, r11
        jae     .end
        mov     r12, r11
.end:
        ret

;; sv_helper_calls(first, second) -> int64: a helper that calls out, and keeps nothing for its caller but what calls keep.
;; inputs: 3,4; 99,3
function sv_helper_calls
        push    rbx
        push    r13
        sub     rsp, 8
        mov     rbx, rsi
        call    sv_helper_calls_number
        mov     r13, rax
        mov     rdi, rbx
        call    sv_helper_calls_number
        add     rax, r13
        add     rsp, 8
        pop     r13
        pop     rbx
        ret
sv_helper_calls_number:
        sub     rsp, 8
        import  PyLong_AsLong
        cmp     rax, -1
        je      .failed
        mov     rdi, rax
        import  PyLong_FromLong
.failed:
        add     rsp, 8
        ret

;; sv_ipa(first, second) -> int64: knows which registers its helper leaves alone, and keeps a value in one that calls may change.
;; inputs: 3,4; 0,3
function sv_ipa
        mov     r8, rsi
        call    sv_ipa_square
        add     rax, r8
        ret
sv_ipa_square:
        mov     rax, rdi
        imul    rax, rdi
        ret

;; sv_pointer(&function, first, second) -> int64: calls through a pointer that it was given.
;; inputs: &PyNumber_Add,4,5; &PyLong_FromLong,1,2
function sv_pointer
        push    rbx
        push    rbp
        push    r14
        mov     rbx, rdi
        mov     rbp, rdx
        mov     rdi, rsi
        mov     rsi, rdx
        call    rbx
        mov     r14, rax
        mov     rdi, rbp
        mov     rsi, rax
        call    rbx
        add     rax, r14
        pop     r14
        pop     rbp
        pop     rbx
        ret

;; sv_copy_back(@to, size) -> void: moves bytes upwards, the last one first.
;; inputs: @64,16; @64,0
function sv_copy_back
        test    rsi, rsi
        jz      .end
        mov     rcx, rsi
        lea     rsi, [rdi + rcx - 1]
        lea     rdi, [rsi + 8]
        std
        rep movsb
        cld
.end:
        ret

;; sv_find_back(@bytes, size, object) -> int64: a search backwards between calls, with two ways out.
;; inputs: @64,16,2; @64,16,3
function sv_find_back
        push    rbx
        push    r12
        sub     rsp, 8
        mov     rbx, rdi
        mov     r12, rsi
        mov     rdi, rdx
        import  PyLong_AsLong
        mov     rcx, r12
        lea     rdi, [rbx + r12 - 1]
        std
        repne scasb
        jne     .none
        cld
        lea     rdi, [rcx + 1]
        import  PyLong_FromLong
        jmp     .end
.none:
        cld
        xor     edi, edi
        import  PyLong_FromLong
        neg     rax
.end:
        add     rsp, 8
        pop     r12
        pop     rbx
        ret

;; sv_collatz(number) -> int64: a loop with a call in one of its branches.
;; inputs: 6; 1; 27
function sv_collatz
        push    rbx
        push    r12
        push    r13
        mov     rbx, rdi
        xor     r12d, r12d
        mov     r13d, 20
.next:
        cmp     rbx, 1
        je      .end
        dec     r13d
        jz      .end
        inc     r12
        test    bl, 1
        jz      .even
        mov     rdi, rbx
        import  PyLong_FromLong
        mov     rbx, rax
        jmp     .next
.even:
        shr     rbx, 1
        jmp     .next
.end:
        mov     rax, r12
        pop     r13
        pop     r12
        pop     rbx
        ret
