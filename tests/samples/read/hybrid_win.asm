; What makes a file for x86-64 an ARM64EC one to Windows: a load configuration that points at CHPE metadata.
        default rel
        global PyInit_hybrid, _load_config_used

        section .text
PyInit_hybrid:
        ret

        section .rdata rdata align=8
_load_config_used:
        dd      208
        times 196 db 0
        dq      metadata
metadata:
        dd      2, 0
