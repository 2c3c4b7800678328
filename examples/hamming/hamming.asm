; hamming: the number of differing bits of two buffers.
;
;   distance(a, b)              with the fastest kernel that the processor has
;   distance_with(name, a, b)   with the kernel of that name: "sse2", "avx2" or "avx512"
;   variants()                  the names that this processor can run, slowest first
;
; Both buffers are released on every path. From GIL_SIZE bytes on the GIL is released meanwhile: the memory cannot go away
; under a buffer that is held, though another thread may write to it, and then which of its bits are counted is open.
;
; The kernels are files of their own, one an instruction set. Which of them the processor and the operating system
; support is asked once, at the first call; threads that ask at the same time find the same.

%include "Python.inc"

GIL_SIZE equ 65536                          ; below it, giving the GIL up costs more than it gives others

extern hamming_sse2
extern hamming_avx2
extern hamming_avx512

; ---- Which kernel ----------------------------------------------------------------------------------------------------
; int detect_level(void): 0 for SSE2, which every x86-64 processor has, 1 for AVX2, 2 for AVX-512 VPOPCNTDQ.
;
; A processor may have what the operating system does not keep for each thread: xgetbv tells that (Intel's manual, volume
; 1, 13.3). Bits 1 and 2 are the xmm and ymm registers, 5 to 7 the mask registers and all of zmm0 to zmm31.
NEEDS_1C  equ (1 << 23) | (1 << 27) | (1 << 28)     ; leaf 1, ecx: POPCNT, OSXSAVE, AVX
NEEDS_7B  equ 1 << 5                                ; leaf 7, ebx: AVX2
NEEDS_512 equ (1 << 16) | (1 << 30)                 ; leaf 7, ebx: AVX-512F and BW
NEEDS_7C  equ 1 << 14                               ; leaf 7, ecx: AVX-512 VPOPCNTDQ

function detect_level, register(leaf_b), local(state, 4)
    xor     eax, eax
    push    rbx                                     ; cpuid writes it
    cpuid
    pop     rbx
    cmp     eax, 7
    jb      .sse2
    mov     eax, 1
    push    rbx
    cpuid
    pop     rbx
    and     ecx, NEEDS_1C
    cmp     ecx, NEEDS_1C
    jne     .sse2
    xor     ecx, ecx
    xgetbv
    mov     [state], eax
    and     eax, 0x06
    cmp     eax, 0x06
    jne     .sse2
    mov     eax, 7
    xor     ecx, ecx
    cpuid                                           ; ebx is that of leaf_b
    test    leaf_b.d, NEEDS_7B
    jz      .sse2
    and     leaf_b.d, NEEDS_512
    cmp     leaf_b.d, NEEDS_512
    jne     .avx2
    test    ecx, NEEDS_7C
    jz      .avx2
    mov     eax, [state]
    and     eax, 0xe6
    cmp     eax, 0xe6
    jne     .avx2
    return  2
.avx2:
    return  1
.sse2:
    return  0

; int level(void): the same, asked once.
function level
    mov     eax, [known_level]
    test    eax, eax
    jns     .known
    invoke  detect_level
    mov     [known_level], eax
.known:
    return

; ---- Counting --------------------------------------------------------------------------------------------------------
; PyObject *measure(PyObject *const *objects, uint64_t (*kernel)(const void *, const void *, size_t))
; Returns a new reference: the distance of the two objects' buffers.
function measure, saved(objects), saved(kernel), register(thread), register(result), \
                  local(first, Py_buffer_size), local(second, Py_buffer_size)
    py_call PyObject_GetBuffer, [objects], &first, PyBUF_SIMPLE
    test    eax, eax
    js      .failed
    py_call PyObject_GetBuffer, [objects + 8], &second, PyBUF_SIMPLE
    test    eax, eax
    js      .release_first
    mov     rax, [first + Py_buffer.len]
    cmp     rax, [second + Py_buffer.len]
    jne     .unequal
    xor     thread, thread
    cmp     rax, GIL_SIZE
    jb      .count
    py_call PyEval_SaveThread
    mov     thread, rax
.count:
    invoke  kernel, [first + Py_buffer.buf], [second + Py_buffer.buf], [first + Py_buffer.len]
    mov     result, rax
    test    thread, thread
    jz      .release
    py_call PyEval_RestoreThread, thread
.release:
    py_call PyBuffer_Release, &second
    py_call PyBuffer_Release, &first
    py_call PyLong_FromUnsignedLongLong, result     ; new
    return  rax
.unequal:
    py_call PyErr_Format, PyExc_ValueError, "buffers of equal length are compared, not of %zd and %zd bytes", \
                          [first + Py_buffer.len], [second + Py_buffer.len]
    py_call PyBuffer_Release, &second
.release_first:
    py_call PyBuffer_Release, &first
.failed:
    return  0

; ---- What Python calls -----------------------------------------------------------------------------------------------
; PyObject *distance(a, b): new reference.
py_function distance, module, saved(args), count
    cmp     count, 2
    jne     .wrong_count
    invoke  level
    lea     rcx, [kernels]
    mov     eax, eax
    invoke  measure, args, [rcx + rax * 8]
    py_return rax
.wrong_count:
    py_call PyErr_Format, PyExc_TypeError, "distance() takes exactly 2 arguments (%zd given)", count
    py_return 0

; PyObject *distance_with(name, a, b): new reference.
py_function distance_with, module, saved(args), count, register(index), register(available)
    cmp     count, 3
    jne     .wrong_count
    mov     rax, [args]
    py_type_of rax, rax
    py_call PyType_GetFlags, rax
    test    eax, Py_TPFLAGS_UNICODE_SUBCLASS
    jz      .no_text
    xor     index, index
.compare:
    lea     rcx, [names]
    py_call PyUnicode_CompareWithASCIIString, [args], [rcx + index * 8]
    test    eax, eax
    jz      .found
    inc     index
    cmp     index, 3
    jb      .compare
    py_call PyErr_Format, PyExc_ValueError, "there is no kernel %R: there are 'sse2', 'avx2' and 'avx512'", [args]
    py_return 0
.found:
    invoke  level
    cmp     eax, index.d
    jb      .not_available
    lea     rcx, [kernels]
    lea     rdx, [args + 8]
    invoke  measure, rdx, [rcx + index * 8]
    py_return rax
.not_available:
    py_call PyErr_Format, PyExc_RuntimeError, "this processor cannot run the kernel %R", [args]
    py_return 0
.no_text:
    py_call PyErr_SetString, PyExc_TypeError, "distance_with() takes the name of a kernel first, a str"
    py_return 0
.wrong_count:
    py_call PyErr_Format, PyExc_TypeError, "distance_with() takes exactly 3 arguments (%zd given)", count
    py_return 0

; PyObject *variants(): new reference, a tuple of str.
py_function variants, module
    invoke  level
    lea     rcx, [formats]
    mov     eax, eax
    py_call Py_BuildValue, [rcx + rax * 8], &sse2_name, &avx2_name, &avx512_name    ; new
    py_return rax

; ---- Tables ----------------------------------------------------------------------------------------------------------
SECTION_DATA
known_level:    dd -1                       ; written once, the same by every thread

SECTION_RODATA
sse2_name:      db "sse2", 0
avx2_name:      db "avx2", 0
avx512_name:    db "avx512", 0
one_name:       db "(s)", 0
two_names:      db "(ss)", 0
three_names:    db "(sss)", 0

SECTION_RELRO
kernels:        dq hamming_sse2, hamming_avx2, hamming_avx512
names:          dq sse2_name, avx2_name, avx512_name
formats:        dq one_name, two_names, three_names

py_methods
    py_method "distance", distance, METH_FASTCALL, "distance(a, b, /)", "Return the number of differing bits of two buffers."
    py_method "distance_with", distance_with, METH_FASTCALL, "distance_with(name, a, b, /)", "Do the same with the kernel of that name."
    py_method "variants", variants, METH_NOARGS, "variants()", "Return the names of the kernels that this processor can run."
py_module hamming, "Hamming distances of buffers, in assembly.", interpreters=own_gil, gil=not_used
