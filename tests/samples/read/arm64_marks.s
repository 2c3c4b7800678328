// A function whose object is marked: BTI and PAC.
        .globl  PyInit_marks
PyInit_marks:
        hint    34
        ret

        .section .note.gnu.property, "a"
        .p2align 3
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 3, 0
