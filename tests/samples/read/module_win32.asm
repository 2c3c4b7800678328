; The same for 32-bit Windows, where C names have an underscore.
        extern __imp__PyModule_Create2
        global _PyInit_module_win32

        section .text
_PyInit_module_win32:
        jmp     [__imp__PyModule_Create2]
