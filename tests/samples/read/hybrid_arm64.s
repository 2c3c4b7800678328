// The same for arm64, which makes it an ARM64X file.
        .text
        .globl PyInit_hybrid
        .p2align 2
PyInit_hybrid:
        ret
        .section .rdata,"dr"
        .p2align 3
        .globl _load_config_used
_load_config_used:
        .long 208
        .zero 196
        .quad metadata
metadata:
        .long 2, 0
