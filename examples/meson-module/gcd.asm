; gcd: a module with one function, gcd(a, b), the greatest common divisor of two ints of at most 64 bits.
;
; An int wider than 64 bits raises OverflowError, what is no int TypeError, both from the function that converts it. The
; result lies between 0 and 2**63, as math.gcd's does. Nothing is kept between calls, so any number of threads may call.

%include "Python.inc"

extern binary_gcd

; PyObject *gcd(PyObject *module, PyObject *const *args, Py_ssize_t count)
; The arguments are borrowed. Returns a new reference.
py_function gcd, module, saved(args), count, register(first)
    cmp     count, 2
    jne     .wrong_count

    py_call PyLong_AsLongLong, [args]
    mov     first, rax
    cmp     rax, -1
    jne     .second
    py_call PyErr_Occurred                              ; -1 is a value too
    test    rax, rax
    jnz     .failed
.second:
    py_call PyLong_AsLongLong, [args + 8]
    cmp     rax, -1
    jne     .magnitudes
    py_call PyErr_Occurred
    test    rax, rax
    jnz     .failed
    mov     rax, -1

.magnitudes:                                            ; of -2**63 it is 2**63: unsigned from here on
    mov     rcx, rax
    neg     rcx
    cmovs   rcx, rax
    mov     rax, first
    neg     rax
    cmovs   rax, first
    invoke  binary_gcd, rax, rcx
    py_call PyLong_FromUnsignedLongLong, rax            ; new, or null when memory is out
    py_return rax

.wrong_count:
    py_call PyErr_Format, PyExc_TypeError, "gcd() takes exactly 2 arguments (%zd given)", count
.failed:
    py_return 0

py_methods
    py_method "gcd", gcd, METH_FASTCALL, "gcd(a, b, /)", "Return the greatest common divisor of two 64-bit ints."
py_module gcd, "Greatest common divisors, in assembly.", gil=not_used
