; checked_call: calls a function with known values in the registers that it must give back, and looks at them afterwards.
;
; PyObject *checked_call(void *function, PyObject *module, PyObject *const *args, Py_ssize_t nargs, uint64_t *changed)
; A flat binary of code that a test maps into memory, with its few variables behind the code: System V's convention, or
; with WIN64 defined Microsoft's, which has rsi, rdi and xmm6 to xmm15 restored as well. *changed gets a bit for each thing
; that the function did not restore, in the order of the checks below.

bits 64
default rel

; A value that no function leaves behind by chance, another for each register.
%define MARK(number) (0x5AFE_C0DE_0000_0000 | ((number) << 8) | 0xE7)

%ifdef WIN64
    %define GENERAL         rbx, rbp, r12, r13, r14, r15, rsi, rdi
    %define FIRST_VECTOR    6
    %define VECTORS         10
%else
    %define GENERAL         rbx, rbp, r12, r13, r14, r15
    %define VECTORS         0
%endif
%define SHADOW_SPACE        32
%define STACK_BIT           18          ; behind the bits of the registers
%define DIRECTION_BIT       19

%macro push_all 1-*
    %rep %0
    push    %1
    %rotate 1
    %endrep
%endmacro
%macro pop_all 1-*
    %rep %0
    %rotate -1
    pop     %1
    %endrep
%endmacro
%macro mark_all 1-*
    %assign %%bit 0
    %rep %0
    mov     %1, MARK(%%bit)
    %assign %%bit %%bit + 1
    %rotate 1
    %endrep
%endmacro
%macro expect_all 1-*                   ; uses rdx; collects in ecx
    %assign %%bit 0
    %rep %0
    mov     rdx, MARK(%%bit)
    cmp     %1, rdx
    je      %%restored_%[%%bit]
    or      ecx, 1 << %%bit
%%restored_%[%%bit]:
    %assign %%bit %%bit + 1
    %rotate 1
    %endrep
%endmacro

checked_call:
%ifdef WIN64
    mov     rax, [rsp + 40]             ; the fifth argument
%endif
    push_all GENERAL
    sub     rsp, VECTORS * 16 + SHADOW_SPACE + 8    ; a multiple of 16, as at every call
    mov     [stack_pointer], rsp
%ifdef WIN64
    mov     [changed], rax
    %assign number 0
    %rep VECTORS
        %assign register FIRST_VECTOR + number
    movdqu  [rsp + SHADOW_SPACE + number * 16], xmm %+ register
    mov     rax, MARK(8 + number)
    movq    xmm %+ register, rax
    punpcklqdq xmm %+ register, xmm %+ register
        %assign number number + 1
    %endrep
    mov     r11, rcx
    mov     rcx, rdx
    mov     rdx, r8
    mov     r8, r9
    mov     r9, MARK(23)
%else
    mov     [changed], r8
    mov     r11, rdi
    mov     rdi, rsi
    mov     rsi, rdx
    mov     rdx, rcx
    mov     rcx, MARK(21)               ; these are the function's to use: it must not count on what is in them
    mov     r8, MARK(22)
    mov     r9, MARK(23)
%endif
    mov     rax, MARK(20)
    mov     r10, MARK(24)
    mark_all GENERAL
    call    r11

    mov     [result], rax
    xor     ecx, ecx
    expect_all GENERAL
%ifdef WIN64
    %assign number 0
    %rep VECTORS
        %assign register FIRST_VECTOR + number
    mov     rdx, MARK(8 + number)
    movq    rax, xmm %+ register
    cmp     rax, rdx
    jne     .changed_%[register]
    movhlps xmm %+ register, xmm %+ register
    movq    rax, xmm %+ register
    cmp     rax, rdx
    je      .restored_%[register]
.changed_%[register]:
    or      ecx, 1 << (8 + number)
.restored_%[register]:
        %assign number number + 1
    %endrep
%endif
    cmp     rsp, [stack_pointer]
    je      .stack_restored
    or      ecx, 1 << STACK_BIT
    mov     rsp, [stack_pointer]
.stack_restored:
    pushfq
    pop     rax
    test    eax, 1 << 10                ; the direction flag is clear at every call and return
    jz      .direction_restored
    or      ecx, 1 << DIRECTION_BIT
    cld
.direction_restored:

    mov     rax, [changed]
    mov     [rax], rcx
%ifdef WIN64
    %assign number 0
    %rep VECTORS
        %assign register FIRST_VECTOR + number
    movdqu  xmm %+ register, [rsp + SHADOW_SPACE + number * 16]
        %assign number number + 1
    %endrep
%endif
    mov     rax, [result]
    add     rsp, VECTORS * 16 + SHADOW_SPACE + 8
    pop_all GENERAL
    ret

align 8
stack_pointer:  dq 0
changed:        dq 0
result:         dq 0
