; Kernels with vector registers: SSE, AVX with vzeroupper, floating point results and arguments, values kept over calls.

%include "convention.inc"

imports PyErr_Occurred, PyLong_FromLong, PyFloat_FromDouble, PyFloat_AsDouble

;; sv_add_bytes(@to, @from, size) -> void: sixteen bytes at a time by SSE2, the rest one by one.
;; inputs: @64,@64,37; @64,@64,0
function sv_add_bytes
        sub     rdx, 16
        jb      .fewer
.next:
        movdqu  xmm0, [rdi]
        movdqu  xmm8, [rsi]
        paddb   xmm0, xmm8
        movdqu  [rdi], xmm0
        add     rdi, 16
        add     rsi, 16
        sub     rdx, 16
        jae     .next
.fewer:
        add     rdx, 16
        jz      .end
.next_byte:
        mov     al, [rsi + rdx - 1]
        add     [rdi + rdx - 1], al
        dec     rdx
        jnz     .next_byte
.end:
        ret

;; sv_xor_avx2(@to, @from, size) -> void: 32 bytes at a time; both ways end with clean upper halves.
;; inputs: @64,@64,64; @64,@64,16; @64,@64,32
function sv_xor_avx2
        cmp     rdx, 32
        jb      .small
.next:
        vmovdqu ymm0, [rdi]
        vpxor   ymm0, ymm0, [rsi]
        vmovdqu [rdi], ymm0
        add     rdi, 32
        add     rsi, 32
        sub     rdx, 32
        cmp     rdx, 32
        jae     .next
        vzeroupper
        ret
.small:
        movdqu  xmm0, [rdi]
        movdqu  xmm1, [rsi]
        pxor    xmm0, xmm1
        movdqu  [rdi], xmm0
        ret

;; sv_sum_avx2(@numbers, count) -> int64: sums by AVX2, and calls with clean upper halves.
;; inputs: @128,8; @128,3
function sv_sum_avx2
        push    rbx
        mov     rbx, rsi
        vpxor   xmm0, xmm0, xmm0
        shr     rsi, 2
        jz      .sum
.next:
        vpaddq  ymm0, ymm0, [rdi]
        add     rdi, 32
        dec     rsi
        jnz     .next
.sum:
        vextracti128 xmm1, ymm0, 1
        vpaddq  xmm0, xmm0, xmm1
        vpshufd xmm1, xmm0, 0x4e
        vpaddq  xmm0, xmm0, xmm1
        vmovq   rdi, xmm0
        vzeroupper
        import  PyLong_FromLong
        add     rax, rbx
        pop     rbx
        ret

;; sv_average(first, second) -> double: keeps a double on the stack over a call.
;; inputs: 4,10; 1,2
function sv_average
        push    rbx
        sub     rsp, 16
        mov     rbx, rsi
        import  PyFloat_AsDouble
        movsd   [rsp + 8], xmm0
        mov     rdi, rbx
        import  PyFloat_AsDouble
        addsd   xmm0, [rsp + 8]
        mov     rax, 0x3fe0000000000000
        movq    xmm1, rax
        mulsd   xmm0, xmm1
        add     rsp, 16
        pop     rbx
        ret

;; sv_scale(1.5, object) -> int64: a double argument, a double kept, a call for each.
;; inputs: 1.5,10; 2.0,3
function sv_scale
        sub     rsp, 24
        movsd   [rsp], xmm0
        mov     [rsp + 8], rdi
        import  PyFloat_AsDouble
        mulsd   xmm0, [rsp]
        import  PyFloat_FromDouble
        add     rax, [rsp + 8]
        add     rsp, 24
        ret

;; sv_mxcsr(1.5) -> int32: rounds towards zero for a moment; the control bits are the caller's.
;; inputs: 1.75; -1.75
function sv_mxcsr
        stmxcsr [rsp - 4]
        mov     eax, [rsp - 4]
        or      eax, 0x6000
        mov     [rsp - 8], eax
        ldmxcsr [rsp - 8]
        cvtsd2si eax, xmm0
        ldmxcsr [rsp - 4]
        ret
