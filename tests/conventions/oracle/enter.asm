; enter.asm: calls a function with every register known, and stands in for what the function imports.
;
;   void enter(const struct call *call)           fills `left` with what the function left
;
; The stand-ins look at what they are called with (oracle.c judges it), and destroy all that a callee may destroy. With
; WIN64 defined both keep to Microsoft's convention, on any system: the convention is the caller's and the callee's
; business alone. While a function runs, the trap flag is set: oracle.c sees every instruction of it.

default rel

extern note_call                        ; void note_call(int which): reads `given`, fills `answer`
global enter:function, after_call, left, given, answer

; ---- What both sides share: oracle.c declares the same ----------------------------------------------------------------
struc call
    .function:  resq 1
    .rsp:       resq 1                  ; a multiple of 16, with the arguments of the stack there
    .integers:  resq 6                  ; System V: rdi rsi rdx rcx r8 r9; Microsoft: rcx rdx r8 r9
    .vectors:   resq 8
    .steps:     resq 1                  ; 0x100 sets the trap flag
endstruc
struc registers
    .general:   resq 16                 ; as instructions number them; rsp as it was
    .flags:     resq 1
    .upper:     resq 1                  ; whether the upper half of a ymm register is in use
    .vectors:   resb 16 * 16
    .mxcsr:     resd 1
    .control:   resd 1                  ; x87
    .tags:      resd 1                  ; x87: registers that are not empty
    .unused:    resd 1
endstruc

%define MARK(number) (0x5AFE_C0DE_0000_0000 | ((number) << 8) | 0xE7)
%define POISON(number) (0xBAD0_BAD0_0000_0000 | ((number) << 8) | 0x0D)
TRAP    equ 0x100

section .bss align=64
left:       resb registers_size
alignb 16
given:      resb registers_size
alignb 16
answer:     resq 2                      ; rax, xmm0
current:    resq 1
own_rsp:    resq 1
alignb 64
fxsave_area: resb 512
            resb 65536
stand_in_stack:

section .rodata align=16
vector_marks:
%assign number 0
%rep 16
    dq MARK(0x40 + number), MARK(0x80 + number)
    %assign number number + 1
%endrep
vector_poison:
%assign number 0
%rep 16
    dq POISON(0x40 + number), POISON(0x80 + number)
    %assign number number + 1
%endrep

section .text

; keep_registers WHERE: everything but rsp, the flags and x87; changes nothing.
%macro keep_registers 1
    %assign %%index 0
    %rep 16
        %if %%index != 4
            %define %%name REGISTER_%[%%index]
            mov     [%1 + registers.general + %%index * 8], %%name
        %endif
        movdqu  [%1 + registers.vectors + %%index * 16], xmm%[%%index]
        %assign %%index %%index + 1
    %endrep
%endmacro
%define REGISTER_0 rax
%define REGISTER_1 rcx
%define REGISTER_2 rdx
%define REGISTER_3 rbx
%define REGISTER_5 rbp
%define REGISTER_6 rsi
%define REGISTER_7 rdi
%define REGISTER_8 r8
%define REGISTER_9 r9
%define REGISTER_10 r10
%define REGISTER_11 r11
%define REGISTER_12 r12
%define REGISTER_13 r13
%define REGISTER_14 r14
%define REGISTER_15 r15

; keep_state WHERE: the upper halves and the control registers; changes rax, rcx, rdx.
%macro keep_state 1
    mov     ecx, 1
    xgetbv                              ; what is in use, of what xcr0 allows
    and     eax, 4
    mov     [%1 + registers.upper], rax
    stmxcsr [%1 + registers.mxcsr]
    fnstcw  [%1 + registers.control]
    fxsave  [fxsave_area]
    movzx   eax, byte [fxsave_area + 4]
    mov     [%1 + registers.tags], eax
%endmacro

enter:
    push    rbx
    push    rbp
    push    r12
    push    r13
    push    r14
    push    r15
    mov     [own_rsp], rsp
    mov     [current], rdi
    vzeroupper
    lea     rax, [vector_marks]
%assign number 0
%rep 16
    movdqu  xmm%[number], [rax + number * 16]
    %assign number number + 1
%endrep
    mov     rax, rdi
%ifdef WIN64
    %define VECTOR_ARGUMENTS 4
%else
    %define VECTOR_ARGUMENTS 8
%endif
%assign number 0
%rep VECTOR_ARGUMENTS
    movsd   xmm%[number], [rax + call.vectors + number * 8]
    %assign number number + 1
%endrep
%assign number 1
%rep 15
    %if number != 4
        mov     REGISTER_%[number], MARK(number)
    %endif
    %assign number number + 1
%endrep
%ifdef WIN64
    mov     rcx, [rax + call.integers]
    mov     rdx, [rax + call.integers + 8]
    mov     r8, [rax + call.integers + 16]
    mov     r9, [rax + call.integers + 24]
%else
    mov     rdi, [rax + call.integers]
    mov     rsi, [rax + call.integers + 8]
    mov     rdx, [rax + call.integers + 16]
    mov     rcx, [rax + call.integers + 24]
    mov     r8, [rax + call.integers + 32]
    mov     r9, [rax + call.integers + 40]
%endif
    mov     rsp, [rax + call.rsp]
    push    qword [rax + call.steps]
    or      qword [rsp], 2
    mov     r10, [rax + call.function]
    mov     rax, MARK(0)
    popfq
    call    r10
after_call:
    mov     [left + registers.general + 4 * 8], rsp
    mov     rsp, [own_rsp]
    pushfq
    pop     qword [left + registers.flags]
    push    2
    popfq
    keep_registers left
    keep_state left
    emms
    pop     r15
    pop     r14
    pop     r13
    pop     r12
    pop     rbp
    pop     rbx
    ret

; ---- Stand-ins --------------------------------------------------------------------------------------------------------
%macro stand_ins 1-*
    %assign %%which which
    %rep %0
        global %1:function
        %1:
            mov     [given + registers.general + 4 * 8], rsp
            lea     rsp, [stand_in_stack]
            pushfq
            pop     qword [given + registers.flags]
            push    2
            popfq
            keep_registers given
            mov     ebx, %%which
            jmp     stand_in
        %rotate 1
        %assign %%which %%which + 1
    %endrep
    %assign which %%which
%endmacro
%assign which 0

    stand_ins PyErr_Occurred, PyLong_FromLong, PyLong_AsLong, PyNumber_Add, PyMem_Malloc, PyMem_Free, \
              PyFloat_FromDouble, PyFloat_AsDouble, PyUnicode_FromFormat, PyErr_NoMemory, PyErr_SetString, PyModuleDef_Init
%ifdef GENERIC                          ; names without a meaning of their own: what they return is the input's to say
    stand_ins GENERIC
%endif

stand_in:
    keep_state given
    emms
    mov     edi, ebx
    call    note_call
    vzeroupper
    lea     rax, [vector_poison]
%assign number 0
%rep 16
    %ifdef WIN64
        %if number >= 6
    movdqu  xmm%[number], [given + registers.vectors + number * 16]
        %else
    movdqu  xmm%[number], [rax + number * 16]
        %endif
    %else
    movdqu  xmm%[number], [rax + number * 16]
    %endif
    %assign number number + 1
%endrep
    movlpd  xmm0, [answer + 8]
    mov     rbx, [given + registers.general + 3 * 8]
    mov     rbp, [given + registers.general + 5 * 8]
    mov     r12, [given + registers.general + 12 * 8]
    mov     r13, [given + registers.general + 13 * 8]
    mov     r14, [given + registers.general + 14 * 8]
    mov     r15, [given + registers.general + 15 * 8]
    mov     rcx, POISON(1)
    mov     rdx, POISON(2)
%ifdef WIN64
    mov     rsi, [given + registers.general + 6 * 8]
    mov     rdi, [given + registers.general + 7 * 8]
%else
    mov     rsi, POISON(6)
    mov     rdi, POISON(7)
%endif
    mov     r8, POISON(8)
    mov     r9, POISON(9)
    mov     r10, POISON(10)
    mov     r11, POISON(11)
    lea     rsp, [stand_in_stack]
    push    qword [given + registers.flags]
    and     qword [rsp], 0x500          ; the trap and direction flags stay
    or      qword [rsp], 0x8d7          ; the others are destroyed
    mov     rax, [answer]
    popfq
    mov     rsp, [given + registers.general + 4 * 8]
    ret

%ifdef VARIABLES                        ; names of variables: each the address of an object
    %macro variables 1-*
        %rep %0
            global  %1:data (512)
            %1:
            times 64 dq %1
            %rotate 1
        %endrep
    %endmacro
    section .data
    variables VARIABLES
%endif

section .note.GNU-stack noalloc noexec nowrite progbits
