; counter: a heap type, Counter, with everything that a type of a C extension has: keyword arguments, members, a method
; that reaches the module's state, an attribute with a getter and a setter, and an exception of the module's own.
;
; One source, four forms: for one CPython, for one free-threaded CPython, abi3 from 3.10 on, abi3t from 3.15 on. So
; nothing here looks into an object: instances are reached through py_data, types through py_type_of, and the module's
; state through the class that defines the method (PEP 573).
;
; Each interpreter of a process has a module, a type and an exception of its own; nothing is shared, so the module works
; in interpreters with a GIL of their own (PEP 684). A counter is one thread's at a time, as a list is: on a free-threaded
; CPython two threads that advance the same counter at once may lose a step, and nothing worse (PEP 703).

%include "Python.inc"

; What an instance of Counter holds.
struc Counter
    .value:     resq 1                      ; long long
    .step:      resq 1                      ; long long
    .advances:  resq 1                      ; Py_ssize_t
endstruc

; What the module object holds: two references that it owns, and a number.
struc State
    .type:      resq 1                      ; Counter
    .error:     resq 1                      ; CounterError
    .advances:  resq 1                      ; Py_ssize_t: of all counters of this interpreter
endstruc

; ---- Counter ---------------------------------------------------------------------------------------------------------
; int Counter.__init__(self, step=1, *, start=0)
py_function counter_init, saved(self), args, keywords, local(step, 8), local(start, 8)
    mov     qword [step], 1
    mov     qword [start], 0
    py_call PyArg_ParseTupleAndKeywords, args, keywords, "|L$L:Counter", &keyword_names, &step, &start
    test    eax, eax
    jz      .failed
    py_data rax, self, Counter
    mov     rcx, [step]
    mov     rdx, [start]
    mov     [rax + Counter.step], rcx
    mov     [rax + Counter.value], rdx
    return  0
.failed:
    return  -1

; void tp_dealloc(self): instances are visible to the garbage collector, since their type is an object like any other.
py_function counter_dealloc, saved(self), register(type)
    py_call PyObject_GC_UnTrack, self
    py_free_instance self, type
    return

; int tp_traverse(self, visitproc visit, void *arg): an instance owns one reference, to its type (from 3.9 on).
py_function counter_traverse, self, saved(visit), saved(arg)
    py_type_of rax, self
    py_visit rax
    return  0

; PyObject *Counter.advance(self, steps=1, /): new reference, the value after so many steps.
; METH_METHOD passes the class that defines the method: from an instance of a subclass too it leads to this module.
py_function counter_advance, saved(self), saved(class), args, count, names, register(steps)
    test    names, names
    jnz     .keywords
    mov     steps, 1
    cmp     count, 1
    jb      .counted
    ja      .wrong_count
    py_call PyLong_AsLongLong, [args]
    mov     steps, rax
    cmp     rax, -1
    jne     .counted
    py_call PyErr_Occurred                              ; borrowed
    test    rax, rax
    jnz     .failed
.counted:
    py_data rcx, self, Counter
    imul    steps, [rcx + Counter.step]
    jo      .full
    add     steps, [rcx + Counter.value]
    jo      .full
    mov     [rcx + Counter.value], steps
    inc     qword [rcx + Counter.advances]
    py_call PyType_GetModuleState, class
    lock inc qword [rax + State.advances]               ; all counters', and so all threads'
    py_call PyLong_FromLongLong, steps                  ; new
    py_return rax
.full:
    py_call PyType_GetModuleState, class
    py_call PyErr_SetString, [rax + State.error], "a counter has 64 bits, and this step needs more"
    py_return 0
.keywords:
    py_call PyErr_SetString, PyExc_TypeError, "advance() takes no keyword arguments"
    py_return 0
.wrong_count:
    py_call PyErr_Format, PyExc_TypeError, "advance() takes at most 1 argument (%zd given)", count
.failed:
    py_return 0

; PyObject *Counter.value: new reference.
py_function counter_get_value, self
    py_data rax, self, Counter
    py_call PyLong_FromLongLong, [rax + Counter.value]  ; new, or null when memory is out
    py_return rax

; int Counter.value = value; "del" passes null.
py_function counter_set_value, saved(self), value
    test    value, value
    jz      .delete
    py_call PyLong_AsLongLong, value
    cmp     rax, -1
    je      .look
.store:
    mov     rdx, rax
    py_data rcx, self, Counter
    mov     [rcx + Counter.value], rdx
    return  0
.look:                                                  ; -1 is a value, and it is what a failure returns
    py_call PyErr_Occurred
    test    rax, rax
    mov     rax, -1
    jz      .store
    return  -1
.delete:
    py_call PyErr_SetString, PyExc_TypeError, "the value of a counter cannot be deleted"
    return  -1

; PyObject *repr(counter): new reference.
py_function counter_repr, self
    py_data rax, self, Counter
    py_call PyUnicode_FromFormat, "Counter(step=%lld, start=%lld)", [rax + Counter.step], [rax + Counter.value]
    py_return rax

; ---- The module ------------------------------------------------------------------------------------------------------
; PyObject *counter.total(): new reference, the calls of advance() in this interpreter.
py_function total, module
    py_call PyModule_GetState, module
    py_call PyLong_FromSsize_t, [rax + State.advances]
    py_return rax

; int exec(module): makes the type and the exception. What it made is the state's; after a failure clear() drops it.
py_function module_exec, saved(module), register(state)
    py_call PyModule_GetState, module
    mov     state, rax
    py_create_type module, Counter                      ; new
    mov     [state + State.type], rax
    test    rax, rax
    jz      .failed
    py_call PyModule_AddType, module, rax               ; takes a reference of its own
    test    eax, eax
    js      .failed
    py_call PyErr_NewExceptionWithDoc, "counter.CounterError", "A step that a counter cannot take.", PyExc_OverflowError, 0
    mov     [state + State.error], rax                  ; new
    test    rax, rax
    jz      .failed
    py_call PyModule_AddObjectRef, module, "CounterError", rax
    test    eax, eax
    js      .failed
    return  0
.failed:
    return  -1

; int traverse(module, visitproc visit, void *arg)
py_function module_traverse, module, saved(visit), saved(arg), register(state)
    py_call PyModule_GetState, module
    mov     state, rax
    py_visit [state + State.type]
    py_visit [state + State.error]
    return  0

; int clear(module), and void free(module), which may be called without it.
py_function module_clear, module, register(state)
    py_call PyModule_GetState, module
    mov     state, rax
    py_clear [state + State.type]
    py_clear [state + State.error]
    return  0

; ---- What Python is told ---------------------------------------------------------------------------------------------
SECTION_RODATA
step_name:      db "step", 0
start_name:     db "start", 0
SECTION_RELRO
keyword_names:  dq step_name, start_name, 0

py_methods counter_methods
    py_method "advance", counter_advance, METH_METHOD | METH_FASTCALL | METH_KEYWORDS, "advance($self, steps=1, /)", "Take steps and return the new value."

py_members counter_members
    py_member "step", Py_T_LONGLONG, Counter.step, 0, "How far one step goes."
    py_member "advances", Py_T_PYSSIZET, Counter.advances, Py_READONLY, "How often advance() was called with success."

py_getset counter_attributes
    py_attribute "value", counter_get_value, counter_set_value, "Where the counter stands."

py_type Counter, "counter.Counter", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
    py_slot Py_tp_doc, `Counter(step=1, *, start=0)\n--\n\nCounts in steps, within 64 bits.`
    py_slot Py_tp_init, counter_init
    py_slot Py_tp_dealloc, counter_dealloc
    py_slot Py_tp_traverse, counter_traverse
    py_slot Py_tp_repr, counter_repr
    py_slot Py_tp_methods, counter_methods
    py_slot Py_tp_members, counter_members
    py_slot Py_tp_getset, counter_attributes

py_methods
    py_method "total", total, METH_NOARGS, "total()", "Return how often counters were advanced in this interpreter."
py_module counter, "Counters that step.", exec=module_exec, state=State_size, traverse=module_traverse, clear=module_clear, free=module_clear, interpreters=own_gil, gil=not_used
