; Two sections of code: their formats' debug data hardly tells them apart. SECOND is the other one's name.
        default rel
%ifndef MORE
%define MORE 1
%endif
        section .text
first:
        mov     eax, 1
        ret
        section SECOND
second:
        mov     eax, 2
        times MORE nop
        ret
