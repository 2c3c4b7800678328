; Every kind of reference to a symbol, for the line table: the line numbers are asserted by tests.
        default rel
        extern PyLong_FromLong, PyErr_Occurred, unused
        global PyInit_lines

        section .text
PyInit_lines:
        call    PyLong_FromLong wrt ..plt
        call    PyLong_FromLong
        mov     rax, [rel PyLong_FromLong wrt ..got]
        mov     rax, PyLong_FromLong
        mov     eax, PyLong_FromLong
%include "lines.inc"
        ret

        section .other progbits alloc exec nowrite align=16
        jmp     PyErr_Occurred wrt ..plt

        section .data
pointer: dq     PyLong_FromLong
