; A Windows module: normal and delayed imports, an export by name, one by ordinal alone.
        default rel
        extern __imp_PyModule_Create2, __imp_PyLong_FromLong, __imp_late_one, late_two
        global PyInit_module_win, by_ordinal, __delayLoadHelper2

        section .text
PyInit_module_win:
        call    [__imp_PyModule_Create2]
        call    [__imp_PyLong_FromLong]
        call    [__imp_late_one]
        jmp     late_two
by_ordinal:
        ret
__delayLoadHelper2:
        ret

        section .data
table:  dq      PyInit_module_win
