/* bitcount.c: the module bitcount._bitcount. C takes the arguments apart; the counting is the kernel's. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernel.h"

/* Below this size, giving up the GIL costs more than others could gain from it (some microseconds of counting). */
#define BYTES_WORTH_GIVING_UP_THE_GIL 65536

static PyObject *popcount(PyObject *module, PyObject *data)
{
    Py_buffer view;
    uint64_t count;

    (void)module;
    /* PyBUF_SIMPLE refuses what is not one run of bytes, with a BufferError. */
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (view.len < BYTES_WORTH_GIVING_UP_THE_GIL) {
        count = bitcount_kernel(view.buf, (size_t)view.len);
    } else {
        Py_BEGIN_ALLOW_THREADS
        count = bitcount_kernel(view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLongLong(count);
}

static int execute(PyObject *module)
{
    /* nasm-build defines NASM_BUILD_ASM: 1 with the assembly, 0 with the fallbacks. A module that tells which it is
       cannot lose its fast code unnoticed. */
    return PyModule_AddStringConstant(module, "KERNEL", NASM_BUILD_ASM ? "assembly" : "C");
}

static PyMethodDef methods[] = {
    {"popcount", popcount, METH_O,
     PyDoc_STR("popcount(data, /)\n--\n\nReturn the number of set bits in a buffer of bytes.")},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "bitcount._bitcount",
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__bitcount(void)
{
    return PyModuleDef_Init(&definition);
}
