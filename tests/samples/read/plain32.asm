; A module for 32-bit x86.
        extern PyModule_Create2
        global PyInit_plain32

        section .text
PyInit_plain32:
        jmp     PyModule_Create2 wrt ..plt

        section .data
table:  dd      PyInit_plain32
