; pymult: a module with one function, multiply(a, b), the exact product of two ints.
;
; Two plain ints whose values and product fit in 64 bits are multiplied in registers. Wider ones, bools and instances of
; int's subclasses go to PyNumber_Multiply, so the result is always that of operator.mul: a subclass that overrides
; __mul__ or __rmul__ is asked. Everything else raises TypeError.
;
; The source says nothing about a platform: Python.inc knows where arguments lie, how calls leave the module and what
; must be restored. The functions keep nothing between calls, so any number of threads may run them at once.

%include "Python.inc"

; PyObject *multiply(PyObject *module, PyObject *const *args, Py_ssize_t count)
; The caller owns the arguments, and the array that holds them, for the whole call. Returns a new reference.
py_function multiply, module, saved(args), count, register(first), local(overflow, 4)
    cmp     count, 2
    jne     near .wrong_count           ; far: said here, it spares NASM a pass

    ; Only for exact ints is the value all there is: a subclass may give * another meaning.
    py_address rdx, PyLong_Type
    mov     rax, [args]
    py_type_of rcx, rax
    cmp     rcx, rdx
    jne     .check_types
    mov     rax, [args + 8]
    py_type_of rcx, rax
    cmp     rcx, rdx
    jne     .check_types

    ; An exact int cannot make the conversion fail other than by its width, so -1 needs no PyErr_Occurred.
    py_call PyLong_AsLongLongAndOverflow, [args], &overflow
    cmp     dword [overflow], 0
    jne     .multiply_objects
    mov     first, rax
    py_call PyLong_AsLongLongAndOverflow, [args + 8], &overflow
    cmp     dword [overflow], 0
    jne     .multiply_objects
    imul    rax, first
    jo      .multiply_objects
    py_call PyLong_FromLongLong, rax                    ; new, or null when memory is out
    py_return rax

.check_types:
    xor     first, first                                ; the index of the argument being looked at
.check_type:
    mov     rax, [args + first * 8]
    py_type_of rcx, rax
    py_call PyType_GetFlags, rcx                        ; unsigned long: 32 bits on Windows, and the flag is among them
    test    eax, Py_TPFLAGS_LONG_SUBCLASS
    jz      .not_an_int
    inc     first
    cmp     first, 2
    jb      .check_type

.multiply_objects:
    py_call PyNumber_Multiply, [args], [args + 8]       ; new, or null with an exception set
    py_return rax

.wrong_count:
    py_call PyErr_Format, PyExc_TypeError, "multiply() takes exactly 2 arguments (%zd given)", count
    py_return 0

.not_an_int:
    mov     rax, [args + first * 8]
    py_type_of rax, rax
    inc     first
    py_call PyErr_Format, PyExc_TypeError, "multiply() argument %zd must be int, not %.200R", first, rax
    py_return 0

py_methods
    py_method "multiply", multiply, METH_FASTCALL, "multiply(a, b, /)", "Return the product of two ints."
py_module pymult, "Exact multiplication of ints, in assembly.", gil=not_used
