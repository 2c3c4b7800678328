; pymult: a module with one function, multiply(a, b), the exact product of two ints.
;
; Two plain ints whose values and product fit in 64 bits are multiplied in registers. Wider ones, bools and instances of
; int's subclasses go to PyNumber_Multiply, so the result is always that of operator.mul: a subclass that overrides
; __mul__ or __rmul__ is asked. Everything else raises TypeError.
;
; The functions keep nothing between calls, so any number of threads may run them at once. Each keeps a frame pointer
; for profilers and debuggers (PEP 831).

%include "Python.inc"

; ---- The module as Python sees it ---------------------------------------------------------------------------------
SECTION_RODATA
module_name:    db "pymult", 0
module_doc:     db "Exact multiplication of ints, in assembly.", 0
multiply_name:  db "multiply", 0
multiply_doc:   db "multiply(a, b, /)", 10, "--", 10, 10       ; the form that inspect.signature reads
                db "Return the product of two ints.", 0
count_message:  db "multiply() takes exactly 2 arguments (%zd given)", 0
type_message:   db "multiply() argument %zd must be int, not %.200s", 0

SECTION_RELRO
methods:
    istruc PyMethodDef
        at PyMethodDef.ml_name,     dq multiply_name
        at PyMethodDef.ml_meth,     dq multiply
        at PyMethodDef.ml_flags,    dq METH_FASTCALL
        at PyMethodDef.ml_doc,      dq multiply_doc
    iend
    times PyMethodDef_size db 0

slots:
%ifdef Py_GIL_DISABLED                  ; without this slot a free-threaded Python turns its GIL on
    istruc PyModuleDef_Slot
        at PyModuleDef_Slot.slot,   dq Py_mod_gil
        at PyModuleDef_Slot.value,  dq Py_MOD_GIL_NOT_USED
    iend
%endif
    times PyModuleDef_Slot_size db 0

section .data align=16
module:
    istruc PyModuleDef
        at PyModuleDef.m_base,      PyModuleDef_HEAD_INIT
        at PyModuleDef.m_name,      dq module_name
        at PyModuleDef.m_doc,       dq module_doc
        at PyModuleDef.m_methods,   dq methods
        at PyModuleDef.m_slots,     dq slots
    iend

section .text

; ---- PyObject *PyInit_pymult(void) --------------------------------------------------------------------------------
; Returns the definition, from which Python makes the module (PEP 489).
PyMODINIT_FUNC PyInit_pymult
    push    rbp
    mov     rbp, rsp
%if C_SHADOW_SPACE
    sub     rsp, C_SHADOW_SPACE
%endif
    lea     c_arg1, [rel module]
    py_call PyModuleDef_Init            ; borrowed: the definition itself
%if C_SHADOW_SPACE
    add     rsp, C_SHADOW_SPACE
%endif
    pop     rbp
    ret
.end:

; ---- PyObject *multiply(PyObject *module, PyObject *const *args, Py_ssize_t nargs) --------------------------------
; Called with METH_FASTCALL: the caller owns the arguments for the whole call, the array that holds them included.
; Returns a new reference, or null with an exception set.
%define args            rbx             ; PyObject *const *
%define index           r12             ; while types are checked: of the argument being looked at
%define first           r12             ; on the fast path: the value of a
%define overflow        rbp - 24        ; int, written by PyLong_AsLongLongAndOverflow

FRAME_SIZE equ 16 + C_SHADOW_SPACE      ; under the two saved registers; keeps rsp a multiple of 16

align 16
multiply:
    push    rbp
    mov     rbp, rsp
    push    args
    push    first
    sub     rsp, FRAME_SIZE

    cmp     c_arg3, 2
    jne     .wrong_count
    mov     args, c_arg2

    ; Only for exact ints is the value all there is: a subclass may give * another meaning.
    py_address rdx, PyLong_Type
    mov     rax, [args]
    mov     rcx, [args + 8]
    cmp     [rax + PyObject.ob_type], rdx
    jne     .check_types
    cmp     [rcx + PyObject.ob_type], rdx
    jne     .check_types

    ; An exact int cannot make the conversion fail other than by its width, so -1 needs no PyErr_Occurred.
    mov     c_arg1, rax
    lea     c_arg2, [overflow]
    py_call PyLong_AsLongLongAndOverflow
    cmp     dword [overflow], 0
    jne     .multiply_objects
    mov     first, rax

    mov     c_arg1, [args + 8]
    lea     c_arg2, [overflow]
    py_call PyLong_AsLongLongAndOverflow
    cmp     dword [overflow], 0
    jne     .multiply_objects

    imul    rax, first
    jo      .multiply_objects
    mov     c_arg1, rax
    py_call PyLong_FromLongLong         ; new, or null when memory is out
    jmp     .return

.check_types:
    xor     index, index
.check_type:
    mov     rax, [args + index * 8]
    mov     c_arg1, [rax + PyObject.ob_type]
    py_call PyType_GetFlags             ; unsigned long: 32 bits on Windows, and the flag is among them
    test    eax, Py_TPFLAGS_LONG_SUBCLASS
    jz      .not_an_int
    inc     index
    cmp     index, 2
    jb      .check_type

.multiply_objects:
    mov     c_arg1, [args]
    mov     c_arg2, [args + 8]
    py_call PyNumber_Multiply           ; new, or null with an exception set

.return:
    add     rsp, FRAME_SIZE
    pop     first
    pop     args
    pop     rbp
    ret

.wrong_count:                           ; c_arg3 still holds the count, which is where PyErr_Format wants it
    py_address c_arg1, PyExc_TypeError
    mov     c_arg1, [c_arg1]
    lea     c_arg2, [rel count_message]
    xor     eax, eax                    ; a variadic function: no vector registers are used
    py_call PyErr_Format                ; null
    jmp     .return

.not_an_int:
    mov     rax, [args + index * 8]
    mov     rax, [rax + PyObject.ob_type]
    mov     c_arg4, [rax + PyTypeObject.tp_name]
    lea     c_arg3, [index + 1]
    py_address c_arg1, PyExc_TypeError
    mov     c_arg1, [c_arg1]
    lea     c_arg2, [rel type_message]
    xor     eax, eax
    py_call PyErr_Format                ; null
    jmp     .return
.end:
