; A module as NASM makes it: no symbol has a type, and no .note.GNU-stack marks the stack.
        default rel
        extern PyLong_FromLong, PyModule_Create2
        global PyInit_plain

        section .text
PyInit_plain:
        lea     rdi, [table]
        mov     esi, 1013
        call    PyModule_Create2 wrt ..plt
        mov     rax, [rel PyLong_FromLong wrt ..got]
        ret
PyInit_forgotten:                       ; no `global`
        ret

        section .data
table:  dq      PyInit_plain
