; Functions written as nasm-build's users write them: one source for both conventions, whose frames and unwind data macros make.

%include "Python.inc"

; frames_sum(a, b): nothing is kept.
exported_leaf_function frames_sum, a, b
    lea     rax, [a + b]
    return

; frames_kept(a, b, c): two arguments and a register that calls keep.
exported_function frames_kept, a, saved(b), saved(c), register(sum)
    py_call PyLong_FromLong, a
    mov     sum, rax
    test    rax, rax
    jz      .nothing
    py_call PyNumber_Add, sum, b
    add     rax, c
    return  rax
.nothing:
    return  0

; frames_locals(a): 40 bytes of stack and a register.
exported_function frames_locals, a, register(kept), local(here, 40)
    mov     [here], a
    mov     [here + 32], a
    mov     kept, a
    py_call PyLong_AsLong, [here]
    add     rax, [here + 32]
    add     rax, kept
    return  rax

; frames_six(a, b, c, d, e, f): arguments that lie on the stack in one of the conventions.
exported_function frames_six, a, saved(b), c, d, saved(e), saved(f)
    lea     rax, [a + c]
    add     rax, d
    py_call PyLong_FromLong, rax
    add     rax, b
    add     rax, e
    sub     rax, f
    return  rax

; frames_vectors(to, object): eight vector registers, of which Microsoft's convention keeps two.
exported_function frames_vectors, saved(to), object, vectors(8)
    py_call PyLong_FromLong, object
    movq    xmm6, rax
    movq    xmm7, to
    paddq   xmm6, xmm7
    psubq   xmm6, xmm7
    movdqu  [to], xmm6
    return

; frames_all(a, b): every register that the macros offer.
exported_function frames_all, saved(a), saved(b), register(c), register(d), register(e)
    mov     c, 3
    mov     d, 4
    lea     e, [a + b]
.next:
    py_call PyNumber_Add, c, d
    add     e, rax
    dec     c
    jnz     .next
    py_call PyLong_FromLong, e
    add     rax, a
    sub     rax, b
    return  rax
end_function
