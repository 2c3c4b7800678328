; Code that the loader must patch: an address in .text.
        extern PyLong_FromLong
        global PyInit_textrel

        section .text
PyInit_textrel:
        mov     rax, PyLong_FromLong
        jmp     rax
        dq      PyInit_textrel

        section .note.GNU-stack noalloc noexec nowrite progbits
