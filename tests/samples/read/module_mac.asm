; A macOS bundle: imports that are looked up flat, from a library, and weakly; one entry point without the underscore.
        default rel
        extern _PyModule_Create2, _from_library, _from_weak_library, PyLong_FromLong
        global _PyInit_module_mac, PyInit_bare, _weakly
        global _PyModExport_private:private_extern

        section .text
_PyInit_module_mac:
        call    _PyModule_Create2
        call    _from_library
        call    _from_weak_library
        call    PyLong_FromLong
        lea     rax, [_PyModExport_private]
        ret
PyInit_bare:
        ret
_weakly:
        ret
_PyModExport_private:
        ret
_PyInit_local:
        ret

        section .data
pointers:
        dq      _PyInit_module_mac, _PyModule_Create2
