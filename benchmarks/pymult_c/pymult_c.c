/* pymult_c.c: examples/pymult in C, step for step, as its peer in the benchmarks. */
#include <Python.h>

static PyObject *wrong_type(int position, PyObject *argument)
{
    return PyErr_Format(PyExc_TypeError, "multiply() argument %d must be int, not %.200s", position,
                        Py_TYPE(argument)->tp_name);
}

static PyObject *multiply(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    long long first, second, product;
    int overflow;

    (void)module;
    if (nargs != 2) {
        return PyErr_Format(PyExc_TypeError, "multiply() takes exactly 2 arguments (%zd given)", nargs);
    }
    if (PyLong_CheckExact(args[0]) && PyLong_CheckExact(args[1])) {
        first = PyLong_AsLongLongAndOverflow(args[0], &overflow);
        if (!overflow) {
            second = PyLong_AsLongLongAndOverflow(args[1], &overflow);
            if (!overflow && !__builtin_mul_overflow(first, second, &product)) {
                return PyLong_FromLongLong(product);
            }
        }
    } else if (!PyLong_Check(args[0])) {
        return wrong_type(1, args[0]);
    } else if (!PyLong_Check(args[1])) {
        return wrong_type(2, args[1]);
    }
    return PyNumber_Multiply(args[0], args[1]);
}

static PyMethodDef methods[] = {
    {"multiply", (PyCFunction)(void *)multiply, METH_FASTCALL,
     PyDoc_STR("multiply(a, b, /)\n--\n\nReturn the product of two ints.")},
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
    .m_name = "pymult_c",
    .m_doc = PyDoc_STR("Exact multiplication of ints, in C."),
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_pymult_c(void)
{
    return PyModuleDef_Init(&definition);
}
