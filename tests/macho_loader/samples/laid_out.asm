; laid_out.asm: a whole Mach-O file, byte by byte: chained fixups in each form, initialisers as offsets, an __eh_frame.
;
; Linkers write only some of these forms, and each version others. Assembled by the tests with
;   nasm -f bin -DPOINTERS=2|6 -DIMPORTS=1|2|3
; POINTERS is the form of a chain's pointers (2: addresses, 6: offsets), IMPORTS that of the table of imports.
bits 64
default rel

BASE        equ 0x10000                 ; where the file wants to lie
DATA_SIZE   equ 0x3000                  ; three pages: a chain in the first and in the last
CHAIN_PAGE  equ 0x1000

%define offset(label)  ((label) - header)
%define address(label) (BASE + offset(label))

; segment NAME, START, END, PROTECTION, SECTIONS: the head of a load command.
%macro segment_command 5
    dd 0x19, 72 + 80 * %5
    %%name: db %1
    times 16 - ($ - %%name) db 0
    dq address(%2), (%3) - (%2), offset(%2), (%3) - (%2)
    dd %4, %4, %5, 0
%endmacro

; section NAME, SEGMENT, START, END, TYPE
%macro section_entry 5
    %%name: db %1
    times 16 - ($ - %%name) db 0
    %%segment: db %2
    times 16 - ($ - %%segment) db 0
    dq address(%3), (%4) - (%3)
    dd offset(%3), 2, 0, 0, %5, 0, 0, 0
%endmacro

; ---- Header and load commands ------------------------------------------------------------------------------------------
header:
    dd 0xfeedfacf, 0x01000007, 3, 8, 5, commands_end - commands, 0x85, 0
commands:
    segment_command "__TEXT", header, data, 5, 3
    section_entry "__text", "__TEXT", text, text_end, 0
    section_entry "__init_offsets", "__TEXT", initialisers, initialisers_end, 0x16
    section_entry "__eh_frame", "__TEXT", frames, frames_end, 0
    segment_command "__DATA", data, link_edit, 3, 0
    segment_command "__LINKEDIT", link_edit, file_end, 1, 0
    dd 0x80000034, 16, offset(fixups), fixups_end - fixups
    dd 0x80000033, 16, offset(exports), exports_end - exports
commands_end:

; ---- Code --------------------------------------------------------------------------------------------------------------
    align 16
text:
marker:                                 ; () -> 0x600d
    mov     eax, 0x600d
    ret

rebased:                                ; () -> the address of marker
    mov     rax, [pointer]
    ret

far_rebased:                            ; () -> the address of marker, from another page
    mov     rax, [far_pointer]
    ret

bound:                                  ; () -> the address of PyLong_Type
    mov     rax, [type]
    ret

added:                                  ; () -> the address of PyLong_Type + 24
    mov     rax, [type_and_more]
    ret

added_by_import:                        ; () -> the address of PyLong_Type + 1000; + 255, a pointer's most, with IMPORTS=1
    mov     rax, [type_and_much_more]
    ret

missing:                                ; () -> null, for a weak import that nobody has
    mov     rax, [nobody]
    ret

called:                                 ; () -> a new int, 42
    mov     edi, 42
    jmp     [from_long]

initialised:                            ; () -> how often the initialiser has run
    mov     eax, [runs]
    ret

initialise:
    inc     dword [runs]
    ret

through:                                ; (function): calls it, with rbx and r12 used for something else
    push    rbx
.pushed_rbx:
    push    r12
.pushed_r12:
    sub     rsp, 8
.reserved:
    mov     ebx, 0xbad
    mov     r12d, 0xbad
    call    rdi
    add     rsp, 8
    pop     r12
    pop     rbx
    ret
.end:
text_end:

    align 4, db 0
initialisers:
    dd offset(initialise)
initialisers_end:

    align 8, db 0
frames:                                 ; DWARF 5, section 6.4
    dd .common_end - $ - 4, 0
    db 1, "zR", 0, 1, 0x78, 16, 1, 0x10 ; addresses are distances from where they stand, of eight bytes
    db 0x0c, 7, 8, 0x90, 1              ; the frame is at rsp + 8, the return address at - 8
    align 8, db 0
.common_end:
    dd .through_end - $ - 4, $ + 4 - frames
    dq through - $, through.end - through
    db 0
    db 0x40 | through.pushed_rbx - through, 0x0e, 16, 0x83, 2
    db 0x40 | through.pushed_r12 - through.pushed_rbx, 0x0e, 24, 0x8c, 3
    db 0x40 | through.reserved - through.pushed_r12, 0x0e, 32
    align 8, db 0
.through_end:
frames_end:
    align 4096, db 0

; ---- Pointers: each says what it becomes, and how many four bytes ahead the next one is -----------------------------------
%macro rebase_pointer 2                 ; TARGET, NEXT
    %if POINTERS == 2
        dq address(%1) | ((%2) - $) / 4 << 51
    %else
        dq offset(%1) | ((%2) - $) / 4 << 51
    %endif
%endmacro

%macro bind_pointer 3                   ; IMPORT, ADDEND, NEXT
    dq 1 << 63 | ((%3) - $) / 4 << 51 | (%2) << 24 | (%1)
%endmacro

data:
runs:               dq 0
pointer:            rebase_pointer marker, type
type:               bind_pointer 0, 0, type_and_more
type_and_more:      bind_pointer 0, 24, type_and_much_more
%if IMPORTS == 1
type_and_much_more: bind_pointer 0, 255, nobody
%else
type_and_much_more: bind_pointer 3, 0, nobody
%endif
nobody:             bind_pointer 1, 0, from_long
from_long:          bind_pointer 2, 0, from_long
    times 2 * CHAIN_PAGE + 16 - ($ - data) db 0
far_pointer:        rebase_pointer marker, far_pointer
    times DATA_SIZE - ($ - data) db 0

; ---- What the loader reads -------------------------------------------------------------------------------------------------
link_edit:
fixups:
    dd 0, .starts - fixups, .imports - fixups, .names - fixups, (.imports_end - .imports) / .import_size, IMPORTS, 0
    align 8, db 0
.starts:
    dd 3, 0, .data_starts - .starts, 0
    align 8, db 0
.data_starts:
    dd .data_starts_end - .data_starts
    dw CHAIN_PAGE, POINTERS
    dq offset(data)
    dd 0
    dw 3, pointer - data, 0xffff, (far_pointer - data) % CHAIN_PAGE
.data_starts_end:
    align 8, db 0

; LIBRARY (-2: wherever it is), WEAK, NAME, ADDEND
%macro import_entry 4
    %if IMPORTS == 3
        dq ((%1) & 0xffff) | (%2) << 16 | (%3 - fixups.names) << 32
        dq %4
    %else
        dd ((%1) & 0xff) | (%2) << 8 | (%3 - fixups.names) << 9
        %if IMPORTS == 2
            dd %4
        %endif
    %endif
%endmacro

.imports:
    import_entry -2, 0, .type, 0
    import_entry -2, 1, .nobody, 0
    import_entry -2, 0, .from_long, 0
%if IMPORTS != 1
    import_entry -2, 0, .type, 1000
%endif
.imports_end:
.import_size equ IMPORTS == 1 ? 4 : IMPORTS == 2 ? 8 : 16
.names:
    db 0
.type:      db "_PyLong_Type", 0
.nobody:    db "_nobody_has_this", 0
.from_long: db "_PyLong_FromLong", 0
    align 8, db 0
fixups_end:

; A node: what its name means (nothing, or flags and an address), then its children. Numbers are of 7 bits a byte.
%macro export_edge 2                    ; NAME, NODE
    db %1, 0, (%2 - exports) & 0x7f | 0x80, (%2 - exports) >> 7
%endmacro

%macro export_node 1                    ; ADDRESS
    db 3, 0, offset(%1) & 0x7f | 0x80, offset(%1) >> 7, 0
%endmacro

exports:
    db 0, 1
    export_edge "_", .names
.names:
    db 0, 8
    export_edge "rebased", .rebased
    export_edge "m", .m
    export_edge "far_rebased", .far_rebased
    export_edge "bound", .bound
    export_edge "added", .added
    export_edge "called", .called
    export_edge "initialised", .initialised
    export_edge "through", .through
.m:
    db 0, 2
    export_edge "arker", .marker
    export_edge "issing", .missing
.rebased:         export_node rebased
.marker:          export_node marker
.missing:         export_node missing
.far_rebased:     export_node far_rebased
.bound:           export_node bound
.called:          export_node called
.initialised:     export_node initialised
.through:         export_node through
.added:           db 3, 0, offset(added) & 0x7f | 0x80, offset(added) >> 7, 1
    export_edge "_by_import", .added_by_import
.added_by_import: export_node added_by_import
exports_end:
    align 8, db 0
file_end:
