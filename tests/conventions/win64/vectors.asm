; Kernels with vector registers: the low 16 bytes of xmm6 to xmm15 are the caller's.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyFloat_FromDouble, PyFloat_AsDouble

;; ms_add_bytes(@to, @from, size) -> void: a leaf that saves two vector registers where ways meet again.
;; inputs: @64,@64,37; @64,@64,0
function ms_add_bytes
        sub     rsp, 40
        movaps  [rsp], xmm6
        movaps  [rsp + 16], xmm7
        sub     r8, 16
        jb      .fewer
.next:
        movdqu  xmm6, [rcx]
        movdqu  xmm7, [rdx]
        paddb   xmm6, xmm7
        movdqu  [rcx], xmm6
        add     rcx, 16
        add     rdx, 16
        sub     r8, 16
        jae     .next
.fewer:
        add     r8, 16
        jz      .end
.next_byte:
        mov     al, [rdx + r8 - 1]
        add     [rcx + r8 - 1], al
        dec     r8
        jnz     .next_byte
.end:
        movaps  xmm7, [rsp + 16]
        movaps  xmm6, [rsp]
        add     rsp, 40
        ret

;; ms_home_vectors(@to) -> void: two vector registers saved in the 32 bytes above the return address, aligned from rsp + 8 on.
;; inputs: @64
function ms_home_vectors
        movaps  [rsp + 8], xmm14
        movaps  [rsp + 24], xmm15
        movdqu  xmm14, [rcx]
        movdqu  xmm15, [rcx + 16]
        paddd   xmm14, xmm15
        movdqu  [rcx + 32], xmm14
        movaps  xmm15, [rsp + 24]
        movaps  xmm14, [rsp + 8]
        ret

;; ms_xor_avx2(@to, @from, size) -> void: saves xmm6 by an AVX instruction; both ways end with clean upper halves.
;; inputs: @64,@64,64; @64,@64,16; @64,@64,32
function ms_xor_avx2
        sub     rsp, 24
        vmovaps [rsp], xmm6
        cmp     r8, 32
        jb      .small
.next:
        vmovdqu ymm6, [rcx]
        vpxor   ymm6, ymm6, [rdx]
        vmovdqu [rcx], ymm6
        add     rcx, 32
        add     rdx, 32
        sub     r8, 32
        cmp     r8, 32
        jae     .next
        vzeroupper
        jmp     .end
.small:
        movdqu  xmm0, [rcx]
        movdqu  xmm1, [rdx]
        pxor    xmm0, xmm1
        movdqu  [rcx], xmm0
.end:
        vmovaps xmm6, [rsp]
        add     rsp, 24
        ret

;; ms_average(first, second) -> double: keeps a double in a register that calls keep.
;; inputs: 4,10; 1,2
function ms_average
        push    rbx
        sub     rsp, 48
        movaps  [rsp + 32], xmm6
        mov     rbx, rdx
        import  PyFloat_AsDouble
        movaps  xmm6, xmm0
        mov     rcx, rbx
        import  PyFloat_AsDouble
        addsd   xmm0, xmm6
        mov     rax, 0x3fe0000000000000
        movq    xmm1, rax
        mulsd   xmm0, xmm1
        movaps  xmm6, [rsp + 32]
        add     rsp, 48
        pop     rbx
        ret

;; ms_scale(1.5, object) -> int64: arguments are counted together; a double kept on the stack.
;; inputs: 1.5,10; 2.0,3
function ms_scale
        sub     rsp, 56
        movsd   [rsp + 32], xmm0
        mov     [rsp + 40], rdx
        mov     rcx, rdx
        import  PyFloat_AsDouble
        mulsd   xmm0, [rsp + 32]
        import  PyFloat_FromDouble
        add     rax, [rsp + 40]
        add     rsp, 56
        ret

;; ms_frame_vectors(@numbers, object) -> int64: a frame with rbp, three vector registers saved below it.
;; inputs: @64,3; @64,99
function ms_frame_vectors
        push    rbp
        mov     rbp, rsp
        push    rsi
        sub     rsp, 88
        movups  [rbp - 24], xmm8
        movups  [rbp - 40], xmm9
        movups  [rbp - 56], xmm10
        mov     rsi, rcx
        movdqu  xmm8, [rcx]
        movdqu  xmm9, [rcx + 16]
        pxor    xmm10, xmm10
        mov     rcx, rdx
        import  PyLong_FromLong
        paddq   xmm8, xmm9
        paddq   xmm8, xmm10
        movdqu  [rsi + 32], xmm8
        movups  xmm10, [rbp - 56]
        movups  xmm9, [rbp - 40]
        movups  xmm8, [rbp - 24]
        mov     rsi, [rbp - 8]
        leave
        ret
