; A module without Python.inc: the shapes of code that the verifier follows, and lines from two files and two macros.
;
; The words that a format wants different are defined on NASM's command line: IMPORT(name), PUBLIC(name), CALL(instruction, name), ARG0.
        default rel
        global PUBLIC(PyInit_plain)
        global PUBLIC(kernel)
        extern IMPORT(PyModuleDef_Init), IMPORT(PyErr_Occurred), IMPORT(PyLong_FromLong)

%macro saved_pair 1.nolist
        %1 rbx
        %1 r12
%endmacro
%macro listed 0
        xor     ecx, ecx
        inc     ecx
%endmacro

        section .text
PyInit_plain:
        lea     ARG0, [definition]
        CALL(jmp, PyModuleDef_Init)

; Every instruction has the line that it stands on; the macros have their callers'.
kernel:
        saved_pair push
        sub     rsp, 40
        mov     rbx, ARG0
        CALL(call, PyErr_Occurred)
        test    rax, rax
        jnz     .failed
        listed
        lea     r12, [.table]
        mov     eax, ebx
        and     eax, 3
        movsxd  rax, [r12 + rax * 4]
        add     rax, r12
        jmp     rax
.table: dd .zero - .table, .one - .table, .two - .table, .failed - .table
.zero:  call    helper
        jmp     .one
.two:   push    rbp
        mov     rbp, rsp
        and     rsp, -32
        sub     rsp, 64
        mov     ARG0, rbx
        call    included
        leave
.one:   mov     ARG0, rbx
        CALL(call, PyLong_FromLong)
        jmp     .end
.failed:
        xor     eax, eax
.end:   add     rsp, 40
        pop     r12
        pop     rbx
        ret

helper:
        mov     ecx, 8
.next:  dec     ecx
        jnz     .next
        cld
        ret

%include "plain.inc"

; Faults on purpose, so that findings with their paths are made too.
        global PUBLIC(faulty)
faulty:
        push    rdi
        test    rdi, rdi
        jz      .early
        std
        mov     rbx, rdi
        pop     rdi
.early: ret

        section .data align=8
definition:
        dq 1, 0, 0, 0, 0
        dq name, 0, 0, methods, 0, 0, 0, 0
methods: dq name, kernel, 4, 0
        dq name, faulty, 4, 0
        dq 0, 0, 0, 0
name:   db "plain", 0
