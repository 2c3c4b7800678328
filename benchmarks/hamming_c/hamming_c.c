/* hamming_c.c: distance(a, b) of examples/hamming in plain C, as its peer in the benchmarks.
 *
 * Whatever the processor has, the compiler may use: setup.py asks for -O3 -march=native. */
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define GIL_SIZE 65536

static uint64_t differing(const unsigned char *first, const unsigned char *second, size_t size)
{
    uint64_t sum = 0, a, b;
    size_t done = 0;

    for (; done + 8 <= size; done += 8) {
        memcpy(&a, first + done, 8);
        memcpy(&b, second + done, 8);
        sum += (uint64_t)__builtin_popcountll(a ^ b);
    }
    for (; done < size; done++) {
        sum += (uint64_t)__builtin_popcount(first[done] ^ second[done]);
    }
    return sum;
}

static PyObject *distance(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer first, second;
    PyThreadState *thread = NULL;
    uint64_t result;

    (void)module;
    if (count != 2) {
        return PyErr_Format(PyExc_TypeError, "distance() takes exactly 2 arguments (%zd given)", count);
    }
    if (PyObject_GetBuffer(args[0], &first, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(args[1], &second, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&first);
        return NULL;
    }
    if (first.len != second.len) {
        PyErr_Format(PyExc_ValueError, "buffers of equal length are compared, not of %zd and %zd bytes", first.len,
                     second.len);
        PyBuffer_Release(&second);
        PyBuffer_Release(&first);
        return NULL;
    }
    if (first.len >= GIL_SIZE) {
        thread = PyEval_SaveThread();
    }
    result = differing(first.buf, second.buf, (size_t)first.len);
    if (thread) {
        PyEval_RestoreThread(thread);
    }
    PyBuffer_Release(&second);
    PyBuffer_Release(&first);
    return PyLong_FromUnsignedLongLong(result);
}

static PyMethodDef methods[] = {
    {"distance", (PyCFunction)(void *)distance, METH_FASTCALL,
     PyDoc_STR("distance(a, b, /)\n--\n\nReturn the number of differing bits of two buffers.")},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hamming_c",
    .m_doc = PyDoc_STR("Hamming distances of buffers, in C."),
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_hamming_c(void)
{
    return PyModuleDef_Init(&definition);
}
