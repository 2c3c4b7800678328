; checked_call: calls a function with known values in the registers that it must give back, and looks at them afterwards.
;
; PyObject *checked_call(void *function, PyObject *module, PyObject *const *args, Py_ssize_t nargs, uint64_t *changed)
; System V, a flat binary of code that a test maps into memory, with its few variables behind the code. *changed gets a
; bit for each thing that the function did not restore, in the order of the checks below.

bits 64
default rel

; A value that no function leaves behind by chance, another for each register.
%define MARK(number) (0x5AFE_C0DE_0000_0000 | ((number) << 8) | 0xE7)

%macro expect 2                         ; register, number of its mark and bit
    mov     rdx, MARK(%2)
    cmp     %1, rdx
    je      %%restored
    or      ecx, 1 << %2
%%restored:
%endmacro

checked_call:
    push    rbp
    push    rbx
    push    r12
    push    r13
    push    r14
    push    r15
    sub     rsp, 8                      ; a multiple of 16, as at every call
    mov     [stack_pointer], rsp
    mov     [changed], r8
    mov     r11, rdi
    mov     rdi, rsi
    mov     rsi, rdx
    mov     rdx, rcx

    mov     rbx, MARK(0)
    mov     rbp, MARK(1)
    mov     r12, MARK(2)
    mov     r13, MARK(3)
    mov     r14, MARK(4)
    mov     r15, MARK(5)
    mov     rax, MARK(20)               ; these are the function's to use: it must not count on what is in them
    mov     rcx, MARK(21)
    mov     r8, MARK(22)
    mov     r9, MARK(23)
    mov     r10, MARK(24)
    call    r11

    mov     [result], rax
    xor     ecx, ecx
    expect  rbx, 0
    expect  rbp, 1
    expect  r12, 2
    expect  r13, 3
    expect  r14, 4
    expect  r15, 5
    cmp     rsp, [stack_pointer]
    je      .stack_restored
    or      ecx, 1 << 6
    mov     rsp, [stack_pointer]
.stack_restored:
    pushfq
    pop     rax
    test    eax, 1 << 10                ; the direction flag is clear at every call and return
    jz      .direction_restored
    or      ecx, 1 << 7
    cld
.direction_restored:

    mov     rax, [changed]
    mov     [rax], rcx
    mov     rax, [result]
    add     rsp, 8
    pop     r15
    pop     r14
    pop     r13
    pop     r12
    pop     rbx
    pop     rbp
    ret

align 8
stack_pointer:  dq 0
changed:        dq 0
result:         dq 0
