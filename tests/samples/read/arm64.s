// One source for the three formats; PREFIX, IMPORT and NAME are given by the script.
        .text
        .globl NAME
        .p2align 2
NAME:
        adrp    x0, DATA
        b       IMPORT
        .data
        .p2align 3
DATA:
        .quad   NAME
